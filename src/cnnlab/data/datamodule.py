"""One datamodule for every data set: which images train, how they are fed, and normalisation on the device."""

import logging
from typing import Any

import numpy as np
import torch
from lightning import LightningDataModule
from torch import Tensor

from cnnlab.data.augment import Policy
from cnnlab.data.batches import Batching
from cnnlab.data.device import DeviceBatches, free_bytes
from cnnlab.data.draws import Draws
from cnnlab.data.feed import Feed
from cnnlab.data.operations import Operation
from cnnlab.data.source import ImageSet, Source, Stage
from cnnlab.data.workers import Batched, ImageBatches
from cnnlab.errors import UserError

log = logging.getLogger(__name__)


class ImageData(LightningDataModule):
    """Feeds batches of (images, labels, positions): float32 [N, C, H, W] normalised, int64 [N], int64 [N].

    The batch size of training is global, shared by all processes. Test images are read in the test stage only.

    feed: 'device' keeps each set on the device as one tensor, 'workers' reads and augments image by image in worker
    processes, 'auto' takes the first where the augmentation has a form for batches and a set has at most device_mib
    MiB. What is free at the moment does not decide: the two draw other random numbers, and the same configuration
    should give the same run.

    Raises:
        UserError: labels or channels are not the configured ones, the training set is smaller than a batch, or the
            feed cannot do what is asked for.
    """

    def __init__(
        self,
        source: Source,
        num_classes: int,
        in_channels: int,
        image_size: int,
        mean: list[float],
        std: list[float],
        batching: Batching,
        draws: Draws,
        policy: Policy,
        feed: str,
        device_mib: float,
        num_workers: int,
        seed: int,
    ) -> None:
        super().__init__()
        self.source = source
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.image_size = image_size
        self.scale = 1 / (255 * torch.tensor(std)).view(-1, 1, 1)
        self.shift = -(torch.tensor(mean) / torch.tensor(std)).view(-1, 1, 1)
        self.batching = batching
        self.batch_size = batching.batch_size
        self.draws = draws
        self.policy = policy
        self.feed = feed
        self.device_mib = device_mib
        self.num_workers = num_workers
        self.seed = seed
        self.sets: dict[Stage, ImageSet] = {}
        self.feeds: dict[Stage, str] = {}
        self.device_alone = torch.device("cpu")  # what feeds go to where there is no trainer

    def prepare_data(self) -> None:
        """Downloads and looks at files, in one process."""
        self.source.prepare()

    def setup(self, stage: str) -> None:
        """Reads what the stage needs; training images are split where the data set has no validation set."""
        if stage == "test" and "test" not in self.sets:
            self.sets["test"] = self._checked("test", self.source.read("test"))
        elif stage != "test" and "train" not in self.sets:
            train = self._checked("train", self.source.read("train"))
            train, val = self.draws.divided(train, self.source.read("val"))
            train = self._checked("train", self.draws.changed(train, self.num_classes))
            self.sets |= {"train": train, "val": self._checked("val", val)}
            if len(train) < self.batch_size:
                raise UserError(
                    f"datamodule.batch_size={self.batch_size} is more than the {len(train)} training images, "
                    "so that no batch would be complete. Take a smaller one."
                )

    def _checked(self, stage: Stage, data: ImageSet | None) -> ImageSet:
        if data is None or len(data) == 0:
            raise UserError(
                f"the {stage} set is empty; datamodule.val_fraction, fraction or folds leave nothing of it, or the "
                "data set has none"
            )
        if data.labels.min() < 0 or data.labels.max() >= self.num_classes:
            raise UserError(
                f"the {stage} set has labels from {data.labels.min()} to {data.labels.max()}, "
                f"which datamodule.num_classes={self.num_classes} does not cover"
            )
        channels = data.images[0].shape[-1]
        if channels != self.in_channels:
            raise UserError(f"the images have {channels} channels, not datamodule.in_channels={self.in_channels}")
        return data

    def used(self) -> dict[str, Any]:
        """How many images each set has, how it is fed, and how many files were left out as bad."""
        skipped = {file for data in self.sets.values() for file in data.skipped}
        images = {stage: len(data) for stage, data in self.sets.items()}
        return {"images": images, "feed": dict(self.feeds), "skipped_files": len(skipped)}

    def _loader(self, stage: Stage) -> Feed:
        train, data = stage == "train", self.sets[stage]
        rank, world_size = (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
        device = self.trainer.strategy.root_device if self.trainer else self.device_alone
        operations = self._operations(stage, device)
        self.feeds[stage] = "workers" if operations is None else "device"
        if train and rank == 0 and self.trainer:  # else nothing trains on them
            log.info("%s training images, %s feed", f"{len(data):,}", self.feeds[stage])
        workers = self.num_workers if operations is None else 0
        policy = self.policy
        batches = (
            ImageBatches(data, self.image_size, self.seed, policy.augment() if train else None, policy.full_image)
            if operations is None
            else DeviceBatches(data, self.image_size, self.seed, operations, device)
        )
        sampler = self.batching.sampler(stage, len(data), self.seed, rank, world_size)
        images_at_once = self.batching.images_at_once(stage, world_size)
        bytes_a_batch = images_at_once * self.in_channels * self.image_size**2
        pin = operations is None and device.type == "cuda"
        return Feed(batches, sampler, workers, bytes_a_batch, pin)

    def _operations(self, stage: Stage, device: torch.device) -> list[Operation] | None:
        """What the device does to a set's images, or None if they come from workers."""
        if self.feed == "workers" or (self.feed == "auto" and self._bytes(stage) > self.device_mib * 2**20):
            return None
        try:
            operations = self.policy.operations() if stage == "train" else []
        except UserError as error:
            if self.feed == "auto":
                return None
            raise UserError(f"datamodule.feed=device cannot do this: {error}. Take feed=auto or workers") from error
        self._require_room(stage, device)
        return operations

    def _bytes(self, stage: Stage) -> int:
        return len(self.sets[stage]) * self.image_size**2 * self.in_channels

    def _require_room(self, stage: Stage, device: torch.device) -> None:
        images = self.sets[stage].images
        there = isinstance(images, np.ndarray) and images.shape[1:3] == (self.image_size, self.image_size)
        needed = 0 if there and device.type == "cpu" else 2 * self._bytes(stage)  # bringing it in order takes a copy
        sharing = self.trainer.num_devices if self.trainer and device.type == "cpu" else 1
        free = free_bytes(device) / sharing
        if needed > free:
            raise UserError(
                f"the {stage} set needs {needed / 2**20:,.0f} MiB for a while, but {device.type} has only "
                f"{free / 2**20:,.0f} MiB free for each process: take datamodule.feed=workers"
            )

    def train_dataloader(self) -> Feed:
        """Shuffled and augmented; the incomplete last batch is left out."""
        return self._loader("train")

    def val_dataloader(self) -> Feed:
        """Every image once, not augmented."""
        return self._loader("val")

    def test_dataloader(self) -> Feed:
        """Every image once, not augmented."""
        return self._loader("test")

    def on_after_batch_transfer(self, batch: Batched, dataloader_idx: int) -> Batched:
        """uint8 in 0..255 -> float32, normalised; done here so that a quarter of the bytes go to the device."""
        images, labels, positions = batch
        dtype = self.trainer.lightning_module.dtype if self.trainer else torch.float32  # trainer.precision decides
        return self.normalize(images).to(dtype), labels, positions

    def normalize(self, images: Tensor) -> Tensor:
        """((images / 255) - mean) / std, channel by channel."""
        self.scale, self.shift = self.scale.to(images.device), self.shift.to(images.device)
        return images.contiguous().float().mul_(self.scale).add_(self.shift)
