"""scikit-learn's handwritten digits: 1,797 real images inside a package that is installed anyway."""

from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from cnnlab.data.draws import stratified_split
from cnnlab.data.source import ImageSet, Stage
from cnnlab.errors import UserError


class Digits:
    """8x8 pixels with 17 grey levels (Alpaydin, Kaynak: UCI optical recognition of handwritten digits, test part).

    `test_fraction` of each class is the test set, drawn with `test_seed`.
    """

    classes = tuple("0123456789")

    def __init__(self, test_fraction: float, test_seed: int) -> None:
        self.test_fraction = test_fraction
        self.test_seed = test_seed

    def prepare(self) -> None:
        """Nothing to download."""

    @cached_property
    def _all(self) -> ImageSet:
        table = np.loadtxt(file_of_digits(), delimiter=",")
        images = np.round(table[:, :64].reshape(-1, 8, 8, 1) * (255 / 16)).astype(np.uint8)
        return ImageSet(images, table[:, 64].astype(np.int64))

    def read(self, stage: Stage) -> ImageSet | None:
        """Train or test images; there is no validation set."""
        if stage == "val":
            return None
        train, test = stratified_split(self._all.labels, self.test_fraction, self.test_seed)
        chosen = train if stage == "train" else test
        return ImageSet(np.asarray(self._all.images)[chosen], self._all.labels[chosen])


def file_of_digits() -> Path:
    """What sklearn.datasets.load_digits reads; found without importing scikit-learn, which takes a second and more.

    Raises:
        UserError: it is not there.
    """
    found = find_spec("sklearn")
    file = Path(str(found and found.origin)).parent / "datasets" / "data" / "digits.csv.gz"
    if not file.is_file():
        raise UserError(f"datamodule=digits: {file} is not there; install scikit-learn again")
    return file
