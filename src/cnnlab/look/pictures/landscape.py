"""The loss around the best weights (Li et al.: Visualizing the loss landscape of neural nets, 2018)."""

import copy

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnlab.look.canvas import AMOUNT, BLUE, GREY, SMALL, canvas, plain
from cnnlab.look.subject import Subject
from cnnlab.losses import mean_cross_entropy
from cnnlab.track import tracked

CHEAP = False
POINTS, REACH = 11, 1.0  # an axis; a step of 1 is as long as the weights themselves
TICKS = (-1, -0.5, 0, 0.5, 1)


def direction(net: nn.Module, seed: int) -> list[Tensor]:
    """Random, and for each filter as long as the filter itself (section 4); biases and norms stay as they are."""
    generator = torch.Generator().manual_seed(seed)
    steps = []
    for weight in net.parameters():
        step = torch.randn(weight.shape, generator=generator).to(weight.device)
        if weight.ndim > 1:
            lengths = [tensor.flatten(1).norm(dim=1).view(-1, *[1] * (weight.ndim - 1)) for tensor in (weight, step)]
            steps.append(step * lengths[0] / lengths[1].clamp(min=1e-12))
        else:
            steps.append(torch.zeros_like(weight))
    return steps


@torch.no_grad()
def surface(net: nn.Module, images: Tensor, labels: Tensor, at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cross entropy at so much of a second direction (rows) and of a first one (columns)."""
    moved = copy.deepcopy(net).eval()
    weights = [weight.clone() for weight in net.parameters()]
    first, second = direction(net, 0), direction(net, 1)
    losses = np.empty((len(at), len(at)))
    for row, b in tracked(enumerate(at), len(at), "landscape"):
        for column, a in enumerate(at):
            for weight, begin, one, other in zip(moved.parameters(), weights, first, second, strict=True):
                weight.copy_(begin + a * one + b * other)
            losses[row, column] = float(mean_cross_entropy(moved(images), labels))
    return losses


def draw(subject: Subject) -> Figure:
    """A slice along two random directions, and the cut through its middle."""
    images, labels = subject.fixed_batch()
    at = np.linspace(-REACH, REACH, POINTS)
    losses = surface(subject.net, images, labels, at)
    centre = losses[POINTS // 2]
    below = f"cross entropy of {len(images)} validation images along two random directions, filter-normalised"
    figure = canvas(9.2, 4.4, f"Loss landscape: {subject.name}", below)
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.15])
    left.plot(at, centre, color=BLUE, marker="o", markersize=3)
    left.axvline(0, color=GREY, linewidth=0.8)
    left.set_xlabel("first direction, in lengths of the weights", fontsize=9)
    left.set_ylabel("loss", fontsize=9)
    left.set_ylim(bottom=0)
    left.set_xticks(TICKS)
    plain(left)
    shown = np.log10(np.clip(np.nan_to_num(losses, nan=1e6), 1e-4, 1e6))
    filled = right.contourf(at, at, shown, levels=16, cmap=AMOUNT)
    right.contour(at, at, shown, levels=16, colors="white", linewidths=0.3)
    right.plot(0, 0, marker="*", markersize=11, color="white", markeredgecolor="black")
    right.set_aspect("equal")
    right.set_xticks(TICKS)
    right.set_yticks(TICKS)
    right.set_xlabel("first direction (the star is the network)", fontsize=9)
    right.set_ylabel("second direction", fontsize=9)
    right.tick_params(labelsize=SMALL)
    bar = figure.colorbar(filled, ax=right, format="%.1f")
    bar.set_label("log10 of the loss", fontsize=9)
    bar.ax.tick_params(labelsize=SMALL)
    return figure
