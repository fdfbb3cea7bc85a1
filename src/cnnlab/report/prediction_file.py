"""Reading predictions.npz (cnnlab.callbacks.predictions), which may be damaged or not ours."""

import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tokenize import TokenError
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from cnnlab.errors import UserError

Array = NDArray[Any]
NAMES = ("index", "label", "probabilities")
# what numpy raises for files that are cut short or changed anywhere (found by damaging them at random)
UNREADABLE = (
    BadZipFile,
    zlib.error,
    TokenError,
    EOFError,
    OSError,
    ValueError,
    RuntimeError,
    SyntaxError,
    TypeError,
    MemoryError,
)
ROUNDING = 0.01  # of a sum of probabilities; half precision needs it


@dataclass(frozen=True)
class Predictions:
    """index, label: int [N]; probabilities: float32 [N, K]; in the order of the test set."""

    index: Array
    label: Array
    probabilities: Array

    @cached_property
    def predicted(self) -> Array:
        classes: Array = self.probabilities.argmax(axis=1)
        return classes

    @cached_property
    def confidence(self) -> Array:
        """The probability of the class that is predicted."""
        return self.probabilities[np.arange(len(self.label)), self.predicted]

    @property
    def test_set(self) -> bytes:
        """The same for equal index and label arrays only."""
        return self.index.tobytes() + self.label.tobytes()


def read_predictions(file: Path) -> Predictions:
    """The predictions of one cell.

    Raises:
        FileNotFoundError: there is no such file.
        UserError: "file: what is wrong with it".
    """
    index, label, probabilities = _arrays(file)
    wrong = _wrong_form(index, label, probabilities) or _wrong_values(label, probabilities)
    if wrong:
        raise UserError(f"{file}: {wrong}; train this cell again, or take the file away")
    return Predictions(index.astype(np.int64), label.astype(np.int64), probabilities.astype(np.float32, copy=False))


def _arrays(file: Path) -> list[Array]:
    try:
        with file.open("rb") as stream:  # np.load would leave its own open where it raises
            saved = np.load(stream, allow_pickle=False)
            if not isinstance(saved, NpzFile):
                raise TypeError("one array instead of several by name")
            lacking = [name for name in NAMES if name not in saved]
            if lacking:
                raise ValueError(f"no array named {', '.join(lacking)}")
            return [saved[name] for name in NAMES]
    except FileNotFoundError:
        raise
    except UNREADABLE as error:
        objects = "pickle" in str(error)  # numpy's words tell how to load them all the same
        why = "it holds Python objects, which are never loaded" if objects else error
        raise UserError(f"{file}: cannot be read ({why}); train this cell again, or take the file away") from error


def _wrong_form(index: Array, label: Array, probabilities: Array) -> str:
    shapes = [list(array.shape) for array in (index, label, probabilities)]
    if index.ndim != 1 or index.shape != label.shape or shapes[2][:1] != shapes[1] or probabilities.ndim != 2:
        return f"index {shapes[0]}, label {shapes[1]} and probabilities {shapes[2]} are not [N], [N] and [N, K]"
    if not len(label) or shapes[2][1] < 2:
        return f"{shapes[2][0]} images of {shapes[2][1]} classes leave nothing to compare"
    kinds = [array.dtype.kind for array in (index, label, probabilities)]
    if kinds[0] not in "iu" or kinds[1] not in "iu" or kinds[2] != "f":
        types = [str(array.dtype) for array in (index, label, probabilities)]
        return f"index, label and probabilities are {', '.join(types)} instead of whole numbers (two) and floats"
    return ""


def _wrong_values(label: Array, probabilities: Array) -> str:
    classes = probabilities.shape[1]
    if label.min() < 0 or label.max() >= classes:
        return f"labels from {label.min()} to {label.max()} for {classes} classes"
    if not np.isfinite(probabilities).all():
        broken = int((~np.isfinite(probabilities)).any(axis=1).sum())
        return f"the probabilities of {broken} of {len(label)} images are not finite"
    sums = probabilities @ np.ones(classes, np.float32)
    if probabilities.min() < 0 or np.abs(sums - 1).max() > ROUNDING:
        return "the rows of probabilities are not shares that sum to 1"
    return ""
