"""Checkpoints that are whole or not there: the best by val/accuracy, and the last."""

import logging
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer
from lightning.fabric.plugins import TorchCheckpointIO
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor

from cnnlab.atomic import whole

log = logging.getLogger(__name__)
LAST = "last.ckpt"


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


class Last(Callback):
    """last.ckpt: the last epoch, for going on.

    Written when the next epoch begins: before, schedules have not taken their step, and the curves lack the epoch.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / LAST
        self.finished = False

    def state_dict(self) -> dict[str, bool]:
        """For a run that goes on."""
        return {"finished": self.finished}

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        loop = trainer.fit_loop.epoch_loop
        # as Lightning does a moment later; a checkpoint that counted them would have this epoch's batches done
        for progress in (loop.batch_progress, loop.scheduler_progress, loop.automatic_optimization.optim_progress):
            progress.reset_on_run()
        if trainer.global_step > 0:
            trainer.save_checkpoint(self.file)

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        if batch_idx == 0:  # what loggers call the step, of which Lightning counts one too many when it goes on
            trainer.fit_loop.epoch_loop._batches_that_stepped = trainer.global_step

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.finished = True
        trainer.save_checkpoint(self.file)


@dataclass(frozen=True)
class Begun:
    """A training to go on with, how many epochs of it are done, and whether these are all."""

    file: Path
    epochs: int
    finished: bool


def begin(folder: Path) -> Begun | None:
    """What last.ckpt holds, or None if there is none that can be read."""
    file = folder / LAST
    if not file.exists():
        return None
    try:
        saved = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
        return Begun(file, int(saved["epoch"]), bool(saved["callbacks"][Last.__qualname__]["finished"]))
    except (OSError, RuntimeError, ValueError, KeyError, pickle.UnpicklingError) as error:
        log.warning("%s cannot be read (%s): the run starts anew", file, error)
        return None
