"""What the predictions.npz of a study's cells say, image by image."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnnlab.errors import UserError
from cnnlab.report.content import HardImage, Images
from cnnlab.report.image_tallies import Mistakes, Tally
from cnnlab.report.prediction_file import Array, Predictions, read_predictions

Kind = tuple[int, int]  # of predictions: the test set's number, how many classes


@dataclass(frozen=True)
class Ensemble:
    """Which images the averaged probabilities of a condition's seeds get right.

    test_set: its number, the same for the same images. packed: a bit for each image.
    """

    test_set: int
    images: int
    packed: NDArray[np.uint8]

    @property
    def right(self) -> Array:
        return np.unpackbits(self.packed, count=self.images).astype(bool)


@dataclass(frozen=True)
class Reading:
    """ensembles: by condition. warnings: "file: what is wrong with it", for what was left out."""

    images: list[Images]
    ensembles: dict[int, Ensemble]
    hardest: list[HardImage]
    warnings: list[str]


def read_images(groups: Sequence[Sequence[Path]], classes: Sequence[str]) -> Reading:
    """What the files of each condition's seeds say; a condition without a readable one has no entry.

    One file is in memory at a time, and of past conditions a bit for each image. The seeds of a condition that were
    tested on other images than most of its seeds are left out of its figures. The hardest images are of the test set
    that most cells share.
    """
    reading = Reading([], {}, [], [])
    test_sets: dict[bytes, int] = {}
    mistakes: dict[Kind, Mistakes] = {}
    absent: list[Path] = []
    for condition, files in enumerate(groups):
        tallies: dict[Kind, Tally] = {}
        for file, seen in _readable(files, reading.warnings, absent):
            kind = test_sets.setdefault(seen.test_set, len(test_sets)), seen.probabilities.shape[1]
            if kind not in tallies:
                tallies[kind] = Tally(seen)
            if kind not in mistakes:
                mistakes[kind] = Mistakes(seen)
            tallies[kind].add(file, seen)
            mistakes[kind].add(seen)
        if tallies:
            kind, most = max(tallies.items(), key=lambda item: len(item[1].files))  # the first of equals
            reading.images.append(most.figures(condition))
            reading.ensembles[condition] = Ensemble(kind[0], len(most.label), np.packbits(most.right))
            reading.warnings.extend(_left_out(most, tallies.values()))
    if absent:
        more = f" (and {len(absent) - 1} more of {sum(map(len, groups))})" if len(absent) > 1 else ""
        reading.warnings.append(f"{absent[0]}{more}: there is no such file; what is said of images leaves it out")
    if mistakes:
        reading.hardest.extend(max(mistakes.values(), key=lambda one: one.cells).hardest(classes))
    return reading


def _readable(files: Iterable[Path], warnings: list[str], absent: list[Path]) -> Iterator[tuple[Path, Predictions]]:
    for file in files:
        try:
            yield file, read_predictions(file)
        except FileNotFoundError:
            absent.append(file)
        except UserError as error:
            warnings.append(str(error))


def _left_out(most: Tally, tallies: Iterable[Tally]) -> list[str]:
    others = [file for tally in tallies if tally is not most for file in tally.files]
    return [f"{file}: not tested as {most.files[0]} was; figures of their condition leave it out" for file in others]
