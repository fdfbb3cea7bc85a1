"""last.ckpt: where training is, for going on."""

from pathlib import Path
from typing import Any

import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.loops.evaluation_loop import RestartStage
from torch import Tensor

from cnnlab.callbacks.agreement import anywhere
from cnnlab.callbacks.stop import Stop
from cnnlab.checkpoint_parts import Mark
from cnnlab.checkpoints import LAST
from cnnlab.classifier import Classifier
from cnnlab.data.batches import TrainBatches
from cnnlab.errors import Diverged
from cnnlab.loggers.csv import Curves


class Last(Checkpoint):
    """Written after the last step of each epoch, before it is validated; after a step, when the process is asked to
    stop; and at the end.

    Lightning goes on from within an epoch in ways that depend on what it was doing. It is told instead that the epoch
    begins, and then this puts it where it was: to the next batch, or before the validation.
    """

    def __init__(self, folder: Path, stop: Stop, cell: Mark, curves: Curves) -> None:
        """cell: its mark, for each checkpoint; curves: for each, too, so that metrics.csv may be lost."""
        self.file = folder / LAST
        self.cell = cell
        self.curves = curves
        self.stop = stop
        self.finished = False
        self.position: dict[str, Any] | None = None  # to go on from
        self.ended = False

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        checkpoint["cell"] = self.cell
        checkpoint["curves"] = self.curves.so_far()
        done: int = trainer.fit_loop.epoch_loop.batch_progress.current.ready
        checkpoint["position"] = {
            "batches": 0 if self.finished else done // _batches(trainer).pieces,
            "ended": trainer.should_stop or self.ended,
            "finished": self.finished,
            "lr": _classifier(trainer).epochs_lr,
            "sums": of_all_processes(trainer, _classifier(trainer).train_scores.sums()),
        }

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        loop = trainer.fit_loop.epoch_loop
        if loop._should_accumulate():
            return
        over = trainer.should_stop or loop._num_ready_batches_reached()
        asked = self.stop.asked(trainer, surely=over)
        if asked or over:
            require_finite(trainer)
            trainer.save_checkpoint(self.file)
        if asked:
            self.stop.obey()

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.finished = True
        trainer.save_checkpoint(self.file)

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        self.position = checkpoint["position"]
        of_epochs = checkpoint["loops"]["fit_loop"]["epoch_progress"]
        for counters in of_epochs.values():
            counters.update(dict.fromkeys(counters, checkpoint["epoch"]))

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.position and self.position["ended"]:  # else Lightning would not validate the epoch
            trainer.fit_loop.epoch_loop.max_steps = -1

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.position is None:
            return
        position, self.position = self.position, None
        self.ended = position["ended"]
        _classifier(trainer).epochs_lr = position["lr"]
        _classifier(trainer).train_scores.add(sums_of(position["sums"], trainer))
        batches = _batches(trainer)
        batches.skip = batches.batches if self.ended else position["batches"]
        go_on(trainer, position["batches"] * batches.pieces, self.ended)

    # what loggers call the step, of which Lightning counts one too many or too few when it goes on

    def on_train_batch_start(self, trainer: Trainer, *_: Any) -> None:
        trainer.fit_loop.epoch_loop._batches_that_stepped = trainer.global_step

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        trainer.fit_loop.epoch_loop._batches_that_stepped = trainer.global_step - 1

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        trainer.fit_loop.epoch_loop._batches_that_stepped = trainer.global_step
        trainer.should_stop = trainer.should_stop or self.ended


def go_on(trainer: Trainer, done: int, ended: bool) -> None:
    """Makes Lightning, at the start of an epoch, believe that so many of its batches are done.

    ended: these are all, however many there would have been.
    """
    loop = trainer.fit_loop.epoch_loop
    trainer.fit_loop._restarting = False  # else plateaus would miss the epoch
    loop.restarting = True  # else it would count from 0
    loop.reset_restart_stage()
    counted = loop.batch_progress
    counted.total.completed = counted.total.ready
    for counter in ("ready", "started", "processed", "completed"):
        setattr(counted.current, counter, done)
    loop.val_loop.batch_progress.reset()
    if ended:
        trainer.fit_loop.max_batches = done
        trainer.val_check_batch = done
    if done == trainer.num_training_batches:
        loop.val_loop._restart_stage = RestartStage.RESTARTED_MID_EVALUATION


def require_finite(trainer: Trainer) -> None:
    """Raises Diverged, in each process, rather than have weights saved from which nothing can go on."""
    state = trainer.lightning_module.state_dict()
    bad = next((name for name, tensor in state.items() if not torch.isfinite(tensor).all()), "")
    if anywhere(trainer, bool(bad)):
        what = bad or "a tensor of another process"
        raise Diverged(f"{what} is not finite after step {trainer.global_step}; the last checkpoint is from before")


def of_all_processes(trainer: Trainer, mine: dict[str, Tensor]) -> list[dict[str, Tensor]]:
    """Everyone's sums, by rank."""
    everyones: list[Any] = [mine] * trainer.world_size
    if trainer.world_size > 1:
        torch.distributed.all_gather_object(everyones, mine)
    return everyones


def sums_of(everyones: list[dict[str, Tensor]], trainer: Trainer) -> dict[str, Tensor]:
    """This process' own; where there were more or fewer of them, the first gets all."""
    if len(everyones) == trainer.world_size:
        return everyones[trainer.global_rank]
    first = everyones[0].items()
    return {name: sum(theirs[name] for theirs in everyones) * trainer.is_global_zero for name, _ in first}  # type: ignore[misc]


def _batches(trainer: Trainer) -> TrainBatches:
    batches: TrainBatches = trainer.train_dataloader.sampler  # type: ignore[union-attr]
    return batches


def _classifier(trainer: Trainer) -> Classifier:
    classifier: Classifier = trainer.lightning_module  # type: ignore[assignment]
    return classifier
