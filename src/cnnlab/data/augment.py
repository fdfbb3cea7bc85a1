"""Augmentation: what augment=... asks for, and albumentations' way of doing it, image by image."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnlab.data.operations import Operation, batched
from cnnlab.data.source import Image
from cnnlab.errors import UserError

Step = dict[str, Any]  # `_target_` and the keys of a transform, as in conf/augment/


def epoch_seeds(seed: int, epoch: int, length: int) -> NDArray[np.int64]:
    """One seed for each image [length]: a function of (seed, epoch, position), of nothing else."""
    return np.random.default_rng([seed, epoch, 1]).integers(2**63 - 1, size=length)


class Policy:
    """The steps of an augmentation, and whether they start from the image as it was decoded.

    make: makes the transform of albumentations that a step stands for. The device feed does without.
    """

    def __init__(self, steps: list[Step], full_image: bool, make: Callable[[Step], Any]) -> None:
        self.steps = steps
        self.full_image = full_image
        self.make = make

    def operations(self) -> list[Operation]:
        """The steps as operations on batches.

        Raises:
            UserError: a step is known to albumentations only, or the image as decoded is asked for.
        """
        if self.full_image:
            raise UserError("it starts from each image as it was decoded (augment.full_image=true)")
        return [batched(step) for step in self.steps]

    def augment(self) -> "Augment | None":
        """The steps image by image, or None if there are none."""
        return Augment([self.make(step) for step in self.steps]) if self.steps else None


class Augment:
    """albumentations' transforms, whose randomness comes from outside.

    albumentations seeds a policy once, so that workers share one stream and epochs repeat it, and its
    `set_random_seed` gives each transform the same numbers, so that where an image is cropped would tell whether it is
    flipped. Here all transforms share one generator, which is set for every image.
    """

    def __init__(self, transforms: list[Any]) -> None:
        self.transforms = transforms
        self.python = random.Random()
        self.bits = np.random.Philox(key=0)
        self.state = self.bits.state
        numpy = np.random.Generator(self.bits)
        for transform in transforms:
            transform.set_random_state(numpy, self.python)

    def __call__(self, image: Image, seed: int) -> Image:
        """[H, W, C] -> [H', W', C], the same for the same seed (below 2**63)."""
        self.python.seed(seed)
        self.state["state"]["key"][0] = seed
        self.bits.state = self.state
        for transform in self.transforms:
            try:
                image = transform(image=image)["image"]
            except Exception as error:  # whatever a transform makes of an image it was not made for
                shape = "x".join(str(n) for n in image.shape)
                name = type(transform).__name__
                raise UserError(f"augment.transforms: {name} cannot change an image of {shape}: {error}") from error
        return image

    def done_once(self, images: Image) -> Image:
        """All images [N, H, W, C] after the steps at the head that leave nothing to chance, which are then dropped."""
        while self.transforms and type(self.transforms[0]).__name__ == "Pad" and self.transforms[0].p == 1:
            pad = self.transforms.pop(0)
            images = np.stack([pad(image=image)["image"] for image in images])
        return images
