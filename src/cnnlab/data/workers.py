"""The feed of worker processes: batches whose images are read, brought to size and augmented one by one."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, get_worker_info

from cnnlab.data.augment import Augment, epoch_seeds
from cnnlab.data.batches import Batch
from cnnlab.data.resize import all_at, fit_to, fits
from cnnlab.data.source import Image, ImageSet
from cnnlab.errors import UserError

Batched = tuple[Tensor, Tensor, Tensor]  # images uint8 [N, C, H, W], labels int64 [N], positions in the set int64 [N]


class ImageBatches(Dataset[Batched]):
    """Indexed by a whole batch of positions (see data/batches.py), not image by image.

    augment: changes an image given (image, seed); `full_image` hands it the image as decoded, else at size. The seed
    comes from (seed, epoch, position) alone, whichever process asks.
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
        self.as_decoded = full_image and augment is not None
        self.labels = torch.from_numpy(data.labels)
        self.images = data.images
        self.at_size = isinstance(data.images, np.ndarray) and not self.as_decoded and fits(data.images, image_size)
        if self.at_size:
            self.images = all_at(data.images, image_size)  # once, not every epoch
            if isinstance(augment, Augment):
                self.images = augment.done_once(self.images)
        self.seeds = (-1, np.empty(0, np.int64))  # of which epoch, and one for each image

    def __getitem__(self, batch: Batch) -> Batched:
        epoch, positions = batch
        if self.augment is None and self.at_size:
            assert isinstance(self.images, np.ndarray)
            images = torch.from_numpy(self.images[positions])
        else:
            images = self._one_by_one(epoch, positions.tolist())
        # a view with channels first: the copy that puts them there is the device's work (ImageData.normalize)
        return images.permute(0, 3, 1, 2), self.labels[positions], torch.from_numpy(positions)

    def _one_by_one(self, epoch: int, positions: list[int]) -> Tensor:
        if not positions:  # a process that gets nothing of a short last batch
            return torch.empty((0, self.size, self.size, self.images[0].shape[-1]), dtype=torch.uint8)
        if self.seeds[0] != epoch:
            self.seeds = epoch, epoch_seeds(self.seed, epoch, len(self.labels))
        first = self._one(positions[0])
        together = empty((len(positions), *first.shape))
        room = together.numpy()
        room[0] = first
        for place, position in enumerate(positions[1:], start=1):
            room[place] = self._one(position)
        return together

    def _one(self, position: int) -> Image:
        image = self.images[position]
        if not (self.as_decoded or self.at_size):
            image = fit_to(image, self.size)
        if self.augment is None:
            return image
        return require_bytes(self.augment(image, int(self.seeds[1][position])), self.size)


def require_bytes(image: Image, size: int) -> Image:
    """The image, which must be uint8 [size, size, C].

    Raises:
        UserError: the augmentation made something else of it.
    """
    if image.dtype != np.uint8 or image.shape[:2] != (size, size):
        shape = "x".join(str(n) for n in image.shape)
        raise UserError(
            f"augment.transforms makes images of {shape}, {image.dtype}, where {size}x{size} bytes are needed: crop or "
            "resize to datamodule.image_size, and leave normalising to the datamodule"
        )
    return image


def empty(shape: tuple[int, ...]) -> Tensor:
    """Room for images: in a worker where the main process sees it, too, so that they need not be copied to there."""
    if get_worker_info() is None:
        return torch.empty(shape, dtype=torch.uint8)
    # as torch's own collate functions do it
    storage = torch.UntypedStorage._new_shared(math.prod(shape))  # type: ignore[no-untyped-call]
    return torch.empty(0, dtype=torch.uint8).set_(storage).view(shape)
