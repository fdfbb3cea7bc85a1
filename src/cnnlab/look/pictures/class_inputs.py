"""Inputs that the network takes for each class (Simonyan et al.: Deep inside convolutional networks, 2014)."""

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from cnnlab.look.canvas import grid, percent, short, show
from cnnlab.look.subject import Subject

CHEAP = False
STEPS, MOST = 128, 20
STEP, SMOOTH, WEAK = 0.05, 0.1, 0.01  # of Adam; weights of total variation and of the distance from grey


def maximizing(net: nn.Module, labels: Tensor, low: Tensor, high: Tensor, size: int, steps: int) -> Tensor:
    """Images [N, C, S, S] between low and high [C, 1, 1] with a large logit of their labels.

    Gradient ascent from grey noise, over shifts of a few pixels, so that what is found is not one pixel's accident;
    rough images and strong colours cost something.
    """
    device = labels.device
    noise = torch.randn(len(labels), len(low), size, size, generator=torch.Generator().manual_seed(0)).to(device)
    grey = (low + high) / 2
    images = (grey + 0.1 * noise * (high - low)).requires_grad_()
    optimizer = torch.optim.Adam([images], lr=STEP)
    shifts = torch.randint(-(size // 16), size // 16 + 1, (steps, 2), generator=torch.Generator().manual_seed(1))
    for down, right in shifts.tolist():
        optimizer.zero_grad()
        logits = net(images.roll((down, right), dims=(2, 3)))
        rough = (images.diff(dim=2) ** 2).mean(dim=(1, 2, 3)) + (images.diff(dim=3) ** 2).mean(dim=(1, 2, 3))
        strong = ((images - grey) ** 2).mean(dim=(1, 2, 3))
        wanted = logits.gather(1, labels.view(-1, 1)).squeeze(1)
        (SMOOTH * rough + WEAK * strong - wanted).sum().backward()
        optimizer.step()
        with torch.no_grad():
            images.clamp_(low, high)
    return images.detach()


def draw(subject: Subject) -> Figure:
    """One a class, of the first twenty or of the class that is asked for."""
    asked = range(min(MOST, len(subject.classes))) if subject.label is None else [subject.label]
    labels = torch.tensor(list(asked), device=subject.device)
    black = torch.zeros(1, subject.data.in_channels, 1, 1, device=subject.device)
    low, high = subject.data.normalize(black)[0], subject.data.normalize(black + 255)[0]
    frozen = [p for p in subject.net.parameters() if p.requires_grad]
    for parameter in frozen:
        parameter.requires_grad_(False)
    images = maximizing(subject.net, labels, low, high, subject.data.image_size, STEPS)
    for parameter in frozen:
        parameter.requires_grad_(True)
    probabilities = subject.probabilities(images)
    below = f"{STEPS} steps of gradient ascent from grey noise, and the probability that they reach"
    figure, places = grid(len(labels), 5, f"Class-maximizing inputs: {subject.name}", below, side=1.4)
    for axes, image, label, row in zip(places, subject.pixels(images), labels.tolist(), probabilities, strict=True):
        show(axes, image, f"{short(subject.classes[label])} ({percent(float(row[label]))})")
    return figure
