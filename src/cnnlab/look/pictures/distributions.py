"""How large activations and gradients are in each layer (Glorot and Bengio, 2010, figures 6 and 7)."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cnnlab.build import build_classifier
from cnnlab.look.canvas import BLUE, GREY, INK, SMALL, canvas, percent, plain
from cnnlab.look.spreads import CENTRES, Counts, Spreads, measured, zeros
from cnnlab.look.subject import Subject

CHEAP = True
MOST = 16  # stages
FEW = 0.003
HEIGHT = 0.85  # of a histogram, where stages are 1 apart


def draw(subject: Subject) -> Figure:
    """At the beginning, as the run's seed draws the weights, and with the best weights."""
    objective = build_classifier(subject.config, subject.net).objective
    images, labels = subject.fixed_batch()
    seen = {"best weights": measured(subject.net, objective, images, labels)}
    if subject.config["model"]["weights"] is None:  # else what it began with may not be there any more
        seen = {"at the beginning": measured(subject.initial(), objective, images, labels), **seen}
    return figure_of(subject.name, len(images), seen)


def figure_of(name: str, images: int, seen: dict[str, Spreads]) -> Figure:
    """Of one or two moments; the last is filled."""
    last = list(seen.values())[-1]
    chosen = np.unique(np.linspace(0, len(last.names) - 1, MOST).round().astype(int))
    moments = f"{' (line) and '.join(seen)}{' (filled)' if len(seen) > 1 else ''}"
    below = f"{moments}; {images} validation images, norms as in training"
    figure = canvas(9.4, 0.4 * len(chosen) + 1.5, f"Activations and gradients: {name}", below)
    panels = figure.subplots(1, 2)
    for axes, part, words in zip(
        panels, ("activations", "gradients"), ("size of activations", "size of gradients by them"), strict=True
    ):
        ridges(axes, [getattr(one, part)[chosen] for one in seen.values()])
        axes.set_xlabel(f"{words}, logarithmic", fontsize=9)
    panels[0].set_yticks(-np.arange(len(chosen)), [last.names[at] for at in chosen])
    panels[1].set_yticks([])
    for axes in panels:
        plain(axes, ("top", "right", "left"))
        axes.tick_params(axis="y", length=0)
    return figure


def ends(counts: Counts) -> tuple[int, int]:
    """From where to where each stage has all of its values but a few in a thousand."""
    shares = counts.cumsum(axis=1) / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    used = np.flatnonzero(((shares > FEW) & (shares < 1 - FEW)).any(axis=0))
    return (max(0, int(used[0]) - 1), min(len(CENTRES) - 1, int(used[-1]) + 2)) if len(used) else (0, len(CENTRES) - 1)


def ridges(axes: Axes, moments: Sequence[Counts]) -> None:
    """A histogram a stage, from the first above to the last below, with the last moment's share of zeros."""
    low, high = ends(np.concatenate(moments)[:, 1:])
    x = CENTRES[low : high + 1]
    for which, counts in enumerate(moments):
        for line, row in enumerate(counts):
            sizes = row[1:][low : high + 1]
            y = HEIGHT * sizes / max(sizes.max(), 1) - line
            if which == len(moments) - 1:
                axes.plot(x, y, color=BLUE, linewidth=0.8, zorder=line)
                axes.fill_between(x, -line, y, color=BLUE, alpha=0.45, linewidth=0, zorder=line)
                axes.text(
                    1.0,
                    0.12 - line,
                    f"{percent(zeros(row))} zero" if row[0] else "",
                    fontsize=7,
                    color=GREY,
                    ha="right",
                    transform=axes.get_yaxis_transform(),
                )
            else:
                axes.plot(x, y, color=INK, linewidth=0.9, zorder=line + 0.5)
    axes.set_ylim(-len(moments[0]) + 0.85, 1.0)
    room = 0.18 * (x[-1] - x[0])  # for the shares
    axes.set_xlim(x[0], x[-1] + max(room, 0.5))
    decades = np.arange(np.ceil(x[0]), np.floor(x[-1]) + 1, np.ceil((x[-1] - x[0]) / 8))
    axes.set_xticks(decades, [f"$10^{{{decade:.0f}}}$" for decade in decades], fontsize=SMALL)
