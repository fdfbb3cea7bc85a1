"""What a data set is to the rest: three sets of images with labels, read one at a time."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Labels = NDArray[np.int64]
Stage = Literal["train", "val", "test"]


class Images(Protocol):
    """Images by position: an array [N, H, W, C], or something that decodes them when asked for."""

    def __len__(self) -> int: ...
    def __getitem__(self, position: int, /) -> Image: ...


class Chosen:
    """Some of another's images."""

    def __init__(self, images: Images, positions: NDArray[np.int64]) -> None:
        self.images = images
        self.positions = positions

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, position: int) -> Image:
        return self.images[int(self.positions[position])]


@dataclass(frozen=True)
class ImageSet:
    """Images, each uint8 [height, width, channels], their labels [N], and the files that were left out as bad."""

    images: Images
    labels: Labels
    skipped: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, positions: NDArray[np.int64]) -> "ImageSet":
        """The images at those positions; what is decoded when asked for stays so."""
        if isinstance(self.images, np.ndarray):
            return ImageSet(self.images[positions], self.labels[positions], self.skipped)
        return ImageSet(Chosen(self.images, positions), self.labels[positions], self.skipped)


class Source(Protocol):
    """A data set; `read` touches no other stage's files than the one it is asked for."""

    def prepare(self) -> None:
        """Downloads what is missing; called in one process only."""

    def read(self, stage: Stage) -> ImageSet | None:
        """The stage's images, or None for 'val' where the data set has no validation set of its own."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes' names, in the order of the labels."""
