"""Where the network looks (Selvaraju et al.: Grad-CAM, 2017)."""

import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Tensor, nn

from cnnlab.look.canvas import grid, percent, short, show
from cnnlab.look.passing import Passed, passed
from cnnlab.look.subject import NotForThisRun, Subject

CHEAP = True
LEAST = 4  # pixels a side, below which a map does not say where


def last_map(net: nn.Module, images: Tensor) -> Passed:
    """The last stage with maps that still say where.

    Raises:
        NotForThisRun: there is none.
    """
    with torch.no_grad():
        _, those = passed(net, images[:1])
    maps = [one for one in those if one.is_map and min(one.output.shape[2:]) >= LEAST]
    if not maps:
        raise NotForThisRun(f"no stage of this network has maps of at least {LEAST}x{LEAST}")
    return maps[-1]


def grad_cam(net: nn.Module, stage: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """relu(sum over maps of (mean gradient of the class' logit) x map), each 0..1: [N, H, W] of the images' size."""
    from captum.attr import LayerGradCam

    coarse = LayerGradCam(net, stage).attribute(images, target=labels, relu_attributions=True)
    assert isinstance(coarse, Tensor)
    maps = F.interpolate(coarse.detach(), size=images.shape[2:], mode="bilinear", align_corners=False)[:, 0]
    return maps / maps.amax(dim=(1, 2), keepdim=True).clamp(min=1e-12)


def draw(subject: Subject) -> Figure:
    """For the class that the network predicts; yellow is where its evidence lies."""
    sample = subject.sample
    found = last_map(subject.net, sample.images)
    maps = grad_cam(subject.net, found.stage, sample.images, sample.predicted).cpu().numpy()
    side = "x".join(map(str, found.output.shape[2:]))
    below = (
        f"evidence for the predicted class, yellow is most; {subject.stage_in_words} images, stage {found.name}, {side}"
    )
    figure, places = grid(len(maps), 8, f"Grad-CAM: {subject.name}", below, 1.2, 0.42)
    pixels = subject.pixels(sample.images).mean(axis=-1)
    for number, axes in enumerate(places):
        true, taken = int(sample.labels[number]), int(sample.predicted[number])
        probability = percent(float(sample.probabilities[number, taken]))
        show(
            axes,
            pixels[number],
            f"is {short(subject.classes[true])}\nsays {short(subject.classes[taken], 8)} ({probability})",
        )
        axes.imshow(maps[number], cmap="plasma", alpha=0.75 * maps[number], vmin=0, vmax=1, interpolation="bilinear")
    return figure
