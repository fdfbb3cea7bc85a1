"""A data set of this project's own: grey squares, discs and crosses, drawn as they are asked for."""

import numpy as np
from numpy.typing import NDArray

from cnnlab.data.source import ImageSet, Stage

STAGES: dict[Stage, int] = {"train": 0, "val": 1, "test": 2}


class Shapes:
    """`images` of a stage, each [size, size, 1], with a shape somewhere, in noise."""

    classes = ("square", "disc", "cross")

    def __init__(self, images: int, size: int) -> None:
        self.images = images
        self.size = size

    def prepare(self) -> None:
        """Here a data set would be downloaded, by one process alone."""

    def read(self, stage: Stage) -> ImageSet | None:
        """The same images each time; None for 'val' would have a part of 'train' taken for it."""
        rng = np.random.default_rng(STAGES[stage])
        labels = rng.integers(len(self.classes), size=self.images)
        return ImageSet(np.stack([self._drawn(rng, int(label)) for label in labels]), labels)

    def _drawn(self, rng: np.random.Generator, label: int) -> NDArray[np.uint8]:
        radius = self.size // 5
        row, column = rng.integers(radius, self.size - radius, size=2)
        y, x = np.mgrid[: self.size, : self.size]
        down, across = np.abs(y - row), np.abs(x - column)
        shape = (
            np.maximum(down, across) <= radius,
            down**2 + across**2 <= radius**2,
            (np.minimum(down, across) <= 1) & (np.maximum(down, across) <= radius),
        )[label]
        noisy = 255 * (0.25 + 0.4 * shape) + rng.normal(0, 60, (self.size, self.size))
        drawn: NDArray[np.uint8] = np.clip(noisy, 0, 255).astype(np.uint8)
        return drawn[..., None]
