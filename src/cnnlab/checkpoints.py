"""Checkpoints that are whole or not there: the best by val/accuracy, and the last."""

from pathlib import Path
from typing import Any

import torch
from lightning import Trainer
from lightning.fabric.plugins import TorchCheckpointIO
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor

from cnnlab.atomic import whole


class WholeFiles(TorchCheckpointIO):
    """Lightning's own writing goes through $TMPDIR, which a crash can leave half-copied under the final name."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        with whole(Path(path)) as partial:
            torch.save(checkpoint, partial)


class LatestOfTheBest(ModelCheckpoint):
    """Of epochs that tie, the latest: small validation sets tie often, and later weights have settled more."""

    def check_monitor_top_k(self, trainer: Trainer, current: Tensor | None = None) -> bool:
        if current is None:
            return False
        return self.best_model_score is None or bool(current >= self.best_model_score)


def best(folder: Path) -> ModelCheckpoint:
    """best.ckpt: the last epoch with the highest val/accuracy."""
    return LatestOfTheBest(folder, "best", monitor="val/accuracy", mode="max", enable_version_counter=False)


def last(folder: Path) -> ModelCheckpoint:
    """last.ckpt: the last epoch, for going on."""
    return ModelCheckpoint(folder, "last", enable_version_counter=False)
