"""The feed of the device: the whole set lies there as one tensor, and batches are cut, flipped and painted at once."""

from collections.abc import Sequence

import numpy as np
import psutil
import torch
from torch import Tensor
from torch.utils.data import Dataset

from cnnlab.data.batches import Batch
from cnnlab.data.operations import Operation
from cnnlab.data.resize import all_at
from cnnlab.data.source import ImageSet
from cnnlab.data.workers import Batched
from cnnlab.errors import UserError


class DeviceBatches(Dataset[Batched]):
    """Indexed by a whole batch of positions (see data/batches.py); gives tensors on the device.

    The random numbers of an image come from (seed, epoch, position) alone.
    """

    def __init__(
        self, data: ImageSet, image_size: int, seed: int, operations: Sequence[Operation], device: torch.device
    ) -> None:
        self.size = image_size
        self.seed = seed
        self.device = device
        self.labels = torch.from_numpy(data.labels).to(device)
        array = np.require(all_at(data.images, image_size), requirements="W")
        self.images = torch.from_numpy(array).to(device).permute(0, 3, 1, 2).contiguous()
        self.operations = list(operations)
        while self.operations and not self.operations[0].draws:  # the same every time: once is enough
            self.images = self.operations.pop(0)(self.images, torch.empty(len(self.images), 0, device=device))
        self.draws = sum(operation.draws for operation in self.operations)
        self.uniform = (-1, torch.empty(0))  # of which epoch, and [N, draws]

    def __getitem__(self, batch: Batch) -> Batched:
        epoch, at = batch
        positions = torch.from_numpy(at).to(self.device, non_blocking=True)
        images = self.images[positions]
        if self.operations:
            uniform = self._uniform(epoch)[positions]
            first = 0
            for operation in self.operations:
                images = operation(images, uniform[:, first : first + operation.draws])
                first += operation.draws
            if images.shape[2:] != (self.size, self.size):
                raise UserError(
                    f"augment.transforms makes images of {images.shape[2]}x{images.shape[3]} pixels, not "
                    f"datamodule.image_size={self.size}"
                )
        return images, self.labels[positions], positions

    def _uniform(self, epoch: int) -> Tensor:
        if self.uniform[0] != epoch:
            numbers = np.random.default_rng([self.seed, epoch, 2]).random((len(self.labels), self.draws), np.float32)
            self.uniform = epoch, torch.from_numpy(numbers).to(self.device)
        return self.uniform[1]


def free_bytes(device: torch.device) -> int:
    """What the device's memory has left."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)
