"""What one would write without cnnlab: a DataLoader whose data set augments and normalises image by image."""

from typing import Any

import numpy as np
import torch
from PIL import Image as Pillow
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from cnnlab.data.decode import decode
from cnnlab.data.files import Decoded
from cnnlab.data.resize import fit_to
from cnnlab.data.source import Chosen, Image, ImageSet


class PlainImages(Dataset[tuple[Tensor, int]]):
    """One image at a time: read (with Pillow), brought to size, augmented, normalised by albumentations.

    compose: an albumentations.Compose; `full_image` hands it the image as decoded.
    """

    def __init__(self, data: ImageSet, size: int, compose: Any, full_image: bool) -> None:
        self.data = data
        self.size = size
        self.compose = compose
        self.full_image = full_image

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, position: int) -> tuple[Tensor, int]:
        image = read_plainly(self.data, position)
        if not self.full_image:
            image = fit_to(image, self.size)
        return self.compose(image=image)["image"], int(self.data.labels[position])


def path_of(data: ImageSet, position: int) -> Any:
    """The image's file, or None for images in memory."""
    images = data.images
    while isinstance(images, Chosen):
        position, images = int(images.positions[position]), images.images
    return images.paths[position] if isinstance(images, Decoded) else None


def read_plainly(data: ImageSet, position: int) -> Image:
    """As most data sets do it."""
    path = path_of(data, position)
    if path is None:
        return data.images[position]
    with Pillow.open(path) as file:
        return np.array(file.convert("RGB"))


class DecodedOnly(Dataset[int]):
    """The decoder alone, on batches of positions: what no feed of files can beat."""

    def __init__(self, data: ImageSet, channels: int) -> None:
        self.paths = [path_of(data, position) for position in range(len(data))]
        self.channels = channels

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, positions: list[int]) -> int:
        return sum(len(decode(self.paths[position], self.channels)[0]) > 0 for position in positions)


def plain_loader(dataset: Dataset[Any], batch_size: int, workers: int) -> DataLoader[Any]:
    """Shuffled, with the settings that most people use."""
    generator = torch.Generator().manual_seed(0)
    return DataLoader(
        dataset,
        batch_size,
        shuffle=True,
        num_workers=workers,
        persistent_workers=workers > 0,
        drop_last=True,
        generator=generator,
    )
