"""Images of any shape that exist for timing and trying out, and that can nevertheless be learned."""

import numpy as np

from cnnlab.data.source import ImageSet, Stage


class Synthetic:
    """One random picture per class, half covered with noise; the same seed gives the same images."""

    def __init__(
        self, num_classes: int, channels: int, image_size: int, train_images: int, test_images: int, seed: int
    ) -> None:
        self.num_classes = num_classes
        self.shape = (image_size, image_size, channels)
        self.counts = {"train": train_images, "test": test_images}
        self.seed = seed

    @property
    def classes(self) -> tuple[str, ...]:
        """class 0, class 1, ..."""
        return tuple(f"class {label}" for label in range(self.num_classes))

    def prepare(self) -> None:
        """Nothing to download."""

    def read(self, stage: Stage) -> ImageSet | None:
        """Train or test images; there is no validation set."""
        if stage == "val":
            return None
        pictures = np.random.default_rng(self.seed).integers(0, 128, (self.num_classes, *self.shape), np.uint8)
        rng = np.random.default_rng([self.seed, 1 + ["train", "test"].index(stage)])  # not the pictures' own
        labels = np.arange(self.counts[stage]) % self.num_classes
        noise = rng.integers(0, 128, (len(labels), *self.shape), np.uint8)
        return ImageSet(pictures[labels] + noise, labels)
