"""scikit-learn's handwritten digits: 1,797 real images inside a package that is installed anyway."""

from functools import cached_property

import numpy as np
from sklearn.datasets import load_digits

from cnnlab.data.draws import stratified_split
from cnnlab.data.source import ImageSet, Stage


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
        bunch = load_digits()
        images = np.round(bunch.images * (255 / 16)).astype(np.uint8)
        return ImageSet(images[..., None], bunch.target.astype(np.int64))

    def read(self, stage: Stage) -> ImageSet | None:
        """Train or test images; there is no validation set."""
        if stage == "val":
            return None
        train, test = stratified_split(self._all.labels, self.test_fraction, self.test_seed)
        chosen = train if stage == "train" else test
        return ImageSet(np.asarray(self._all.images)[chosen], self._all.labels[chosen])
