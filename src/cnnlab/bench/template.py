"""A training script in the habits of the usual Lightning + Hydra templates: everything is imported at the top.

python -m cnnlab.bench.template [--help]: LeNet-5 on the digits, one epoch, then the test.
"""

import sys
import tempfile

import albumentations as A
import hydra
import lightning as L
import numpy as np
import rich.tree  # noqa: F401
import torch
import wandb  # noqa: F401
from albumentations.pytorch import ToTensorV2
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint, RichModelSummary
from lightning.pytorch.loggers import CSVLogger
from omegaconf import DictConfig
from torch.utils.data import DataLoader, Dataset

from cnnlab.bench.bare import lenet5
from cnnlab.bench.lightnings import Habits
from cnnlab.data.digits import Digits
from cnnlab.data.source import ImageSet, Stage


class Images(Dataset[tuple[torch.Tensor, int]]):
    """One image at a time."""

    def __init__(self, data: ImageSet) -> None:
        self.data = data
        self.transform = A.Compose([A.Resize(32, 32), A.Normalize((0.305,), (0.376,)), ToTensorV2()])

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, at: int) -> tuple[torch.Tensor, int]:
        return self.transform(image=np.asarray(self.data.images[at]))["image"], int(self.data.labels[at])


def loader(data: ImageSet | None, shuffle: bool) -> "DataLoader[tuple[torch.Tensor, int]]":
    """Batches of 32."""
    assert data is not None
    return DataLoader(Images(data), batch_size=32, shuffle=shuffle)


def train(_: DictConfig) -> None:
    """One epoch."""
    L.seed_everything(0, workers=True)
    source = Digits(test_fraction=0.2, test_seed=0)
    stages: dict[Stage, ImageSet | None] = {stage: source.read(stage) for stage in ("train", "test")}
    with tempfile.TemporaryDirectory() as folder:
        trainer = L.Trainer(
            accelerator="cpu",
            max_epochs=1,
            logger=CSVLogger(folder),
            callbacks=[
                ModelCheckpoint(folder, monitor="val/acc", mode="max", save_last=True),
                EarlyStopping("val/acc", mode="max", patience=100),
                RichModelSummary(),
            ],
        )
        module = Habits(lenet5(), lambda parameters: torch.optim.Adam(parameters, 1e-3), 10)
        trainer.fit(module, loader(stages["train"], shuffle=True), loader(stages["test"], shuffle=False))
        trainer.test(module, loader(stages["test"], shuffle=False), verbose=False)


if __name__ == "__main__":
    sys.argv += ["hydra.run.dir=.", "hydra.output_subdir=null", "hydra/job_logging=none"]
    hydra.main(version_base="1.3")(train)()
