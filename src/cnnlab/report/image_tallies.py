"""Sums over the cells that predicted the images of one test set, and what they say of calibration and confusion."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cnnlab.report.content import Bin, HardImage, Images
from cnnlab.report.prediction_file import Array, Predictions

BINS = 15  # Guo et al., 2017
HARDEST = 24


def ensemble_right(summed: Array, label: Array) -> Array:
    """Which images [N] the members' summed (or averaged) probabilities [N, K] get right."""
    right: Array = summed.argmax(axis=1) == label
    return right


def binned(confidence: Array, right: Array) -> Array:
    """[3, 15]: of each bin of confidence (0, 1/15], (1/15, 2/15] ...: images, summed confidence, images right."""
    places = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    return np.stack([np.bincount(places, weights, BINS) for weights in (np.ones_like(confidence), confidence, right)])


def calibration_error(bins: Array) -> float:
    """ECE (Guo et al., 2017, eq. 3): |accuracy - confidence| of each bin, weighted by its share of the images."""
    return float(np.abs(bins[2] - bins[1]).sum() / bins[0].sum())


class Tally:
    """Of a condition's seeds on one test set: sums over them."""

    def __init__(self, first: Predictions) -> None:
        classes = first.probabilities.shape[1]
        self.label = first.label
        self.files: list[Path] = []
        self.summed: Array = np.zeros_like(first.probabilities)
        self.said: Array = np.zeros((classes, classes), dtype=int)  # [label, predicted]
        self.bins: Array = np.zeros((3, BINS))
        self.errors: list[float] = []

    def add(self, file: Path, seen: Predictions) -> None:
        classes = len(self.said)
        bins = binned(seen.confidence, seen.predicted == seen.label)
        self.files.append(file)
        self.summed += seen.probabilities
        self.said += np.bincount(seen.label * classes + seen.predicted, minlength=classes**2).reshape(classes, classes)
        self.bins += bins
        self.errors.append(calibration_error(bins))

    @property
    def right(self) -> Array:
        return ensemble_right(self.summed, self.label)

    def figures(self, condition: int) -> Images:
        """A class without test images has no accuracy, and zeros as its row of the confusion matrix."""
        of_label = self.said.sum(axis=1)
        confusion = self.said / np.maximum(of_label, 1)[:, None]
        images, confidence, right = self.bins[:, self.bins[0] > 0]
        means = np.stack([confidence / images, right / images, images / images.sum()])
        return Images(
            condition=condition,
            n=len(self.files),
            images=len(self.label),
            ece=float(np.mean(self.errors)),
            bins=[Bin(confidence=c, accuracy=a, share=s) for c, a, s in means.T.tolist()],
            ensemble=float(self.right.mean()),
            single=float(np.trace(self.said) / self.said.sum()),
            per_class=[share if n else None for share, n in zip(np.diag(confusion).tolist(), of_label, strict=True)],
            confusion=confusion.tolist(),
        )


class Mistakes:
    """Of all cells on one test set: how many say each wrong class [N, K] of each image, and their summed confidence."""

    def __init__(self, first: Predictions) -> None:
        self.index, self.label, self.cells = first.index, first.label, 0
        self.said: Array = np.zeros(first.probabilities.shape, dtype=np.int32)
        self.confidence: Array = np.zeros(first.probabilities.shape, dtype=np.float32)

    def add(self, seen: Predictions) -> None:
        rows = np.flatnonzero(seen.predicted != seen.label)
        at = rows, seen.predicted[rows]
        self.said[at] += 1
        self.confidence[at] += seen.confidence[rows]
        self.cells += 1

    def hardest(self, classes: Sequence[str]) -> list[HardImage]:
        """The images that more than half of the cells get wrong, the hardest first, at most 24.

        Classes are told by their number where the names are not as many.
        """
        names = classes if len(classes) == self.said.shape[1] else [str(k) for k in range(self.said.shape[1])]
        wrong = self.said.sum(axis=1)
        # the confidences break ties: their sum is less than cells + 1
        chosen = (self.said + self.confidence / (self.cells + 1)).argmax(axis=1)
        at = np.arange(len(chosen)), chosen
        confidence = self.confidence[at] / np.maximum(self.said[at], 1)
        order = np.lexsort((-confidence, -wrong))[:HARDEST]
        return [
            HardImage(
                index=int(self.index[i]),
                label=names[self.label[i]],
                wrong=int(wrong[i]),
                cells=self.cells,
                predicted=names[chosen[i]],
                confidence=float(confidence[i]),
            )
            for i in order
            if 2 * wrong[i] > self.cells
        ]
