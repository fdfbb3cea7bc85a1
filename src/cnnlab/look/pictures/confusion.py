"""Which classes are taken for which."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cnnlab.look.canvas import AMOUNT, INK, SMALL, canvas, percent, short
from cnnlab.look.subject import Subject

CHEAP = True
WRITTEN = 25  # classes; of more the numbers would be too small to read
NAMED = 60


def counts(labels: NDArray[np.int64], predicted: NDArray[np.int64], num_classes: int) -> NDArray[np.int64]:
    """Images by true class (rows) and predicted class."""
    table = np.bincount(labels * num_classes + predicted, minlength=num_classes**2)
    return table.reshape(num_classes, num_classes)


def draw(subject: Subject) -> Figure:
    """Rows are shares of each true class; the numbers are images."""
    predictions, classes = subject.predictions, subject.classes
    table = counts(predictions.label, predictions.predicted, len(classes))
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    accuracy = percent(table.trace() / table.sum())
    side = min(9.0, max(4.4, 0.42 * len(classes) + 1.6))
    below = f"{table.sum():,} {subject.stage_in_words} images, {accuracy} right"
    figure = canvas(side + 0.8, side, f"Confusion matrix: {subject.name}", below)
    axes = figure.subplots()
    drawn = axes.imshow(shares, cmap=AMOUNT, vmin=0, vmax=1)
    if len(classes) <= WRITTEN:
        for row, column in np.argwhere(table):
            colour = "white" if shares[row, column] < 0.6 else INK
            axes.text(column, row, f"{table[row, column]}", ha="center", va="center", fontsize=SMALL, color=colour)
    every = -(-len(classes) // NAMED)
    ticks = range(0, len(classes), every)
    names = [short(classes[label]) for label in ticks]
    upright = 90 if max(map(len, names)) > 2 else 0
    fits = SMALL if len(ticks) <= 30 else 6
    axes.set_xticks(list(ticks), names, rotation=upright, fontsize=fits)
    axes.set_yticks(list(ticks), names, fontsize=fits)
    axes.set_xlabel("predicted class", fontsize=9)
    axes.set_ylabel("true class", fontsize=9)
    bar = figure.colorbar(drawn, ax=axes, shrink=0.8)
    bar.set_label("share of the true class", fontsize=9)
    bar.ax.tick_params(labelsize=SMALL)
    return figure
