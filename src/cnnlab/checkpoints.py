"""Checkpoints that are whole or not there: the best by val/accuracy, and the last."""

from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO
from lightning.pytorch.callbacks import ModelCheckpoint

from cnnlab.atomic import whole


class WholeFiles(TorchCheckpointIO):
    """Lightning's own writing goes through $TMPDIR, which a crash can leave half-copied under the final name."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:  # noqa: ARG002
        with whole(Path(path)) as partial:
            torch.save(checkpoint, partial)


def best(folder: Path) -> ModelCheckpoint:
    """best.ckpt: the first epoch with the highest val/accuracy."""
    return ModelCheckpoint(folder, "best", monitor="val/accuracy", mode="max", enable_version_counter=False)


def last(folder: Path) -> ModelCheckpoint:
    """last.ckpt: the last epoch, for going on."""
    return ModelCheckpoint(folder, "last", enable_version_counter=False)
