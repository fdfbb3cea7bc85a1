"""The images that the network is surest about, and wrong."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cnnlab.look.canvas import canvas, grid, percent, short, show
from cnnlab.look.subject import Subject
from cnnlab.report.prediction_file import Predictions

CHEAP = True


def worst(predictions: Predictions, count: int, label: int | None = None) -> NDArray[np.int64]:
    """Rows of wrong predictions (of one class' images, if asked for), the surest first."""
    wrong = predictions.predicted != predictions.label
    if label is not None:
        wrong &= predictions.label == label
    rows = np.flatnonzero(wrong)
    return rows[np.argsort(-predictions.confidence[rows], kind="stable")][:count]


def draw(subject: Subject) -> Figure:
    """Over each image: what it is and what it was taken for, with their probabilities."""
    predictions, classes = subject.predictions, subject.classes
    rows = worst(predictions, subject.count, subject.label)
    wrong = (predictions.predicted != predictions.label).sum()
    below = f"{wrong:,} of {len(predictions.label):,} {subject.stage_in_words} images are wrong; the surest ones first"
    if not len(rows):
        of = "" if subject.label is None else f" of class {classes[subject.label]}"
        figure = canvas(6, 1.6, f"Worst mistakes: {subject.name}", below)
        figure.text(0.5, 0.25, f"No image{of} is taken for another class.", ha="center", fontsize=11)
        return figure
    figure, places = grid(len(rows), 6, f"Worst mistakes: {subject.name}", below, words=0.42)
    pixels = subject.pixels(subject.images_at(subject.stage, predictions.index[rows]))
    for axes, image, row in zip(places, pixels, rows, strict=True):
        true, taken = int(predictions.label[row]), int(predictions.predicted[row])
        of_true, of_taken = predictions.probabilities[row, [true, taken]]
        is_one, says = f"is {short(classes[true], 10)}", f"says {short(classes[taken], 9)}"
        show(axes, image, f"{is_one} ({percent(of_true)})\n{says} ({percent(of_taken)})")
    return figure
