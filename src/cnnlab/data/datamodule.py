"""One datamodule for every data set: splits, batches, and normalisation on the device."""

from typing import Any

import torch
from lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader

from cnnlab.data.augment import Augment
from cnnlab.data.batches import Batches
from cnnlab.data.dataset import Batched, ImageBatches
from cnnlab.data.source import ImageSet, Source, Stage, stratified_split
from cnnlab.errors import UserError


class ImageData(LightningDataModule):
    """Feeds batches of (images, labels, positions): float32 [N, C, H, W] normalised, int64 [N], int64 [N].

    The batch size is global and shared by all processes. Test images are read in the test stage only. `full_image`
    lets the augmentation crop from images as they were decoded.

    Raises:
        UserError: labels or channels are not the configured ones, or the training set is smaller than a batch.
    """

    def __init__(
        self,
        source: Source,
        num_classes: int,
        in_channels: int,
        image_size: int,
        mean: list[float],
        std: list[float],
        batch_size: int,
        val_fraction: float,
        split_seed: int,
        fraction: float,
        num_workers: int,
        transforms: list[Any],
        full_image: bool,
        seed: int,
    ) -> None:
        super().__init__()
        self.source = source
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.image_size = image_size
        self.mean = torch.tensor(mean).view(-1, 1, 1)
        self.std = torch.tensor(std).view(-1, 1, 1)
        self.batch_size = batch_size
        self.val_fraction = val_fraction
        self.split_seed = split_seed
        self.fraction = fraction
        self.num_workers = num_workers
        self.transforms = transforms
        self.full_image = full_image
        self.seed = seed
        self.sets: dict[Stage, ImageSet] = {}

    def prepare_data(self) -> None:
        """Downloads, in one process."""
        self.source.prepare()

    def setup(self, stage: str) -> None:
        """Reads what the stage needs; training images are split where the data set has no validation set."""
        if stage == "test" and "test" not in self.sets:
            self.sets["test"] = self._checked("test", self.source.read("test"))
        elif stage != "test" and "train" not in self.sets:
            train = self._checked("train", self.source.read("train"))
            val = self.source.read("val")
            if val is None:
                kept, held_out = stratified_split(train.labels, self.val_fraction, self.split_seed)
                train, val = train.subset(kept), train.subset(held_out)
            if self.fraction < 1:
                train = train.subset(stratified_split(train.labels, self.fraction, self.split_seed)[1])
            self.sets |= {"train": train, "val": self._checked("val", val)}
            if len(train) < self.batch_size:
                raise UserError(
                    f"datamodule.batch_size={self.batch_size} is more than the {len(train)} training images, "
                    "so that no batch would be complete. Take a smaller one."
                )

    def _checked(self, stage: Stage, data: ImageSet | None) -> ImageSet:
        if data is None or len(data) == 0:
            raise UserError(f"the {stage} set is empty; datamodule.val_fraction or datamodule.fraction is too small")
        if data.labels.min() < 0 or data.labels.max() >= self.num_classes:
            raise UserError(
                f"the {stage} set has labels from {data.labels.min()} to {data.labels.max()}, "
                f"which datamodule.num_classes={self.num_classes} does not cover"
            )
        channels = data.images[0].shape[-1]
        if channels != self.in_channels:
            raise UserError(f"the images have {channels} channels, not datamodule.in_channels={self.in_channels}")
        return data

    def _loader(self, stage: Stage) -> DataLoader[Batched]:
        train = stage == "train"
        rank, world_size = (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
        augment = Augment(self.transforms) if train and self.transforms else None
        return DataLoader(
            ImageBatches(self.sets[stage], self.image_size, self.seed, augment, train and self.full_image),
            batch_size=None,  # the sampler yields whole batches
            sampler=Batches(len(self.sets[stage]), self.batch_size, self.seed, train, rank, world_size),
            num_workers=self.num_workers,
            persistent_workers=self.num_workers > 0,
            pin_memory=torch.cuda.is_available(),
        )

    def train_dataloader(self) -> DataLoader[Batched]:
        """Shuffled and augmented; the incomplete last batch is left out."""
        return self._loader("train")

    def val_dataloader(self) -> DataLoader[Batched]:
        """Every image once, not augmented."""
        return self._loader("val")

    def test_dataloader(self) -> DataLoader[Batched]:
        """Every image once, not augmented."""
        return self._loader("test")

    def on_after_batch_transfer(self, batch: Batched, dataloader_idx: int) -> Batched:
        """uint8 in 0..255 -> float32, normalised; done here so that a quarter of the bytes go to the device."""
        images, labels, positions = batch
        dtype = self.trainer.lightning_module.dtype if self.trainer else torch.float32  # trainer.precision decides
        return self.normalize(images).to(dtype), labels, positions

    def normalize(self, images: Tensor) -> Tensor:
        """((images / 255) - mean) / std, channel by channel."""
        self.mean, self.std = self.mean.to(images.device), self.std.to(images.device)
        return (images.float() / 255 - self.mean) / self.std
