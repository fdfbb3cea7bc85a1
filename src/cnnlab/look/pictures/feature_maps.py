"""What the stages make of one image."""

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cnnlab.look.canvas import AMOUNT, SMALL, canvas, percent, plain, show
from cnnlab.look.passing import Passed, passed
from cnnlab.look.subject import Subject

CHEAP = True
STAGES, MAPS = 6, 8


def spread(those: list[Passed], most: int) -> list[Passed]:
    """So many of them at most, evenly from the first to the last."""
    return [those[at] for at in np.unique(np.linspace(0, len(those) - 1, most).round().astype(int))]


def liveliest(maps: NDArray[np.float32], most: int) -> NDArray[np.int64]:
    """Which of the maps [C, H, W] vary most, the first one first."""
    return np.argsort(-maps.std(axis=(1, 2)), kind="stable")[:most]


def draw(subject: Subject) -> Figure:
    """A row a stage, of which the maps that vary most; each row has a scale of its own."""
    image = subject.sample.images[:1]
    with torch.no_grad():
        _, those = passed(subject.net, image)
    rows = spread([one for one in those if one.is_map and one.output.shape[-1] > 1], STAGES)
    true, taken = int(subject.sample.labels[0]), int(subject.sample.predicted[0])
    probability = percent(float(subject.sample.probabilities[0, taken]))
    below = (
        f"{subject.stage_in_words} image of {subject.classes[true]}, taken for {subject.classes[taken]} ({probability})"
    )
    figure = canvas(9.7, 0.95 * len(rows) + 0.85, f"Feature maps: {subject.name}", f"{below}; maps that vary most")
    places = figure.subplots(len(rows), MAPS + 1, squeeze=False, width_ratios=[2.2] + [1] * MAPS)
    for line, one in zip(places, rows, strict=True):
        maps = one.output[0].float().cpu().numpy()
        channels, height, width = maps.shape
        line[0].text(
            1, 0.5, f"{one.name}\n{channels} maps of {height}x{width}", fontsize=SMALL, ha="right", va="center"
        )
        chosen = liveliest(maps, MAPS)
        top = max(float(maps[chosen].max()), 1e-12)
        for axes in line:
            axes.set_axis_off()
        for axes, number in zip(line[1:], chosen, strict=False):
            show(axes, maps[number], cmap=AMOUNT, vmin=float(maps[chosen].min()), vmax=top)
    inset = places[0][0].inset_axes((0, 0.1, 0.35, 0.8))
    show(inset, subject.pixels(image)[0])
    plain(inset)
    return figure
