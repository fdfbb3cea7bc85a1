"""Whole batches of images as tensors: read, brought to size, augmented."""

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image as Pillow
from torch import Tensor
from torch.utils.data import Dataset

from cnnlab.data.batches import Batch
from cnnlab.data.source import Image, ImageSet

Batched = tuple[Tensor, Tensor, Tensor]  # images uint8 [N, C, H, W], labels int64 [N], positions in the set int64 [N]


def fit_to(image: Image, size: int) -> Image:
    """[H, W, C] -> [size, size, C]: the shorter side resized to `size`, or a seventh more where there is room to crop.

    The margin is the usual one of ImageNet (256 for 224); images up to 64 pixels are only resized.
    """
    height, width, channels = image.shape
    if height == width == size:
        return image
    short = round(size * 256 / 224) if min(height, width) > size > 64 else size
    scale = short / min(height, width)
    shape = max(size, round(width * scale)), max(size, round(height * scale))
    planes = [Pillow.fromarray(image[..., c]).resize(shape, Pillow.Resampling.BILINEAR) for c in range(channels)]
    resized = np.stack([np.asarray(plane) for plane in planes], axis=-1)
    top, left = (resized.shape[0] - size) // 2, (resized.shape[1] - size) // 2
    return resized[top : top + size, left : left + size]


class ImageBatches(Dataset[Batched]):
    """Indexed by a whole batch of positions (see Batches), not image by image.

    augment: changes an image given (image, seed); `full_image` hands it the image as decoded, else at size.
    """

    def __init__(
        self,
        data: ImageSet,
        image_size: int,
        seed: int,
        augment: Callable[[Image, int], Image] | None,
        full_image: bool,
    ) -> None:
        self.size = image_size
        self.seed = seed
        self.augment = augment
        self.full_image = full_image
        self.labels = torch.from_numpy(data.labels)
        self.images = data.images
        if (
            isinstance(data.images, np.ndarray)
            and data.images.shape[1:3] != (image_size, image_size)
            and not (full_image and augment)
        ):
            self.images = np.stack([fit_to(image, image_size) for image in data.images])  # once, not every epoch

    def __getitem__(self, batch: Batch) -> Batched:
        epoch, positions = batch
        if self.augment is None and isinstance(self.images, np.ndarray):
            images = self.images[positions]
        elif len(positions):
            images = np.stack([self._one(epoch, int(position)) for position in positions])
        else:  # a process that gets nothing of a short last batch
            images = np.empty((0, self.size, self.size, self.images[0].shape[-1]), np.uint8)
        return (
            torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(),
            self.labels[positions],
            torch.from_numpy(positions),
        )

    def _one(self, epoch: int, position: int) -> Image:
        image = self.images[position]
        if not (self.full_image and self.augment):
            image = fit_to(image, self.size)
        if self.augment is None:
            return image
        return self.augment(image, seed_of(self.seed, epoch, position))


def seed_of(*numbers: int) -> int:
    """One 32-bit seed from several numbers, well mixed and the same everywhere."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])
