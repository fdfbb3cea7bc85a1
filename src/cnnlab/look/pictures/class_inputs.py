"""Inputs that the network takes for each class (Simonyan et al.: Deep inside convolutional networks, 2014)."""

import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Tensor, nn

from cnnlab.look.canvas import grid, percent, short, show
from cnnlab.look.subject import Subject
from cnnlab.track import tracked

CHEAP = False
STEPS, MOST = 128, 20
STEP, FADING = 0.04, 0.995  # of the range from black to white; what is left of the distance from grey after a step


def maximizing(net: nn.Module, labels: Tensor, low: Tensor, high: Tensor, size: int, steps: int) -> Tensor:
    """Images [N, C, S, S] between low and high [C, 1, 1] with a large logit of their labels.

    Gradient ascent from soft noise, over shifts of a few pixels and along smoothed gradients, since the steepest way
    alone leads to hard noise (Olah et al.: Feature visualization, 2017).
    """
    grey, reach, on = (low + high) / 2, high - low, labels.device
    draws = torch.Generator().manual_seed(0)
    noise = torch.randn(len(labels), len(low), size, size, generator=draws).to(on)
    images = grey + 0.5 * reach * blurred(noise)  # from less some networks find no way
    shifts = torch.randint(-(size // 16), size // 16 + 1, (steps, 2), generator=draws).tolist()
    for down, right in tracked(shifts, steps, "class_inputs"):
        with torch.enable_grad():
            seen = images.detach().requires_grad_()
            logits = net(seen.roll((down, right), dims=(2, 3)))
            (gradient,) = torch.autograd.grad(logits.gather(1, labels.view(-1, 1)).sum(), seen)
        smooth = blurred(gradient)
        size_of = smooth.square().mean(dim=(1, 2, 3), keepdim=True).sqrt().clamp(min=1e-12)
        images = grey + FADING * (images - grey) + STEP * reach * smooth / size_of
        images = blurred(images, 1) * 0.2 + images * 0.8
        images = images.clamp(low, high)
    return images


def blurred(images: Tensor, times: int = 2) -> Tensor:
    """Means of 3x3 pixels, so many times over."""
    for _ in range(times):
        images = F.avg_pool2d(F.pad(images, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    return images


def draw(subject: Subject) -> Figure:
    """One a class, of the first twenty or of the class that is asked for."""
    asked = range(min(MOST, len(subject.classes))) if subject.label is None else [subject.label]
    labels = torch.tensor(list(asked), device=subject.device)
    black = torch.zeros(1, subject.data.in_channels, 1, 1, device=subject.device)
    low, high = subject.data.normalize(black)[0], subject.data.normalize(black + 255)[0]
    images = maximizing(subject.net, labels, low, high, subject.data.image_size, STEPS)
    probabilities = subject.probabilities(images)
    below = f"{STEPS} steps of gradient ascent from soft noise, and the probability that they reach"
    figure, places = grid(len(labels), 5, f"Class-maximizing inputs: {subject.name}", below, side=1.4)
    for axes, image, label, row in zip(places, subject.pixels(images), labels.tolist(), probabilities, strict=True):
        show(axes, image, f"{short(subject.classes[label])} ({percent(float(row[label]))})")
    return figure
