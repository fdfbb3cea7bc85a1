"""One bar for the whole training: epoch, loss, accuracy, time left."""

import sys
import time
from typing import Any

from lightning import Callback, LightningModule, Trainer
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Column

from cnnlab.callbacks.budget import TimeBudget

REDRAW = 0.05  # seconds between the bar's moves
OTHERS = 56  # columns of a terminal that epoch, counts, times and a short bar take
GLANCE = 0.5  # seconds between looks at the loss, each of which waits for the device


class Progress(Callback):
    """A bar over all epochs in a terminal, a line an epoch elsewhere."""

    def __init__(self) -> None:
        self.bar: Bar | None = None
        self.task = TaskID(0)
        self.moved = 0.0
        self.looked = 0.0
        self.began = 0.0
        self.first = 0  # epoch of this attempt
        self.budget: TimeBudget | None = None  # ends training, if there is one, rather than the epochs

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        self.began, self.first = time.monotonic(), trainer.current_epoch
        self.budget = next((c for c in trainer.callbacks if isinstance(c, TimeBudget)), None)  # type: ignore[attr-defined]
        if not trainer.is_global_zero or not sys.stdout.isatty():
            return
        self.bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[scores]}"),
            TimeElapsedColumn(Column(no_wrap=True, min_width=7)),
            TextColumn("ETA"),
            TimeRemainingColumn(table_column=Column(no_wrap=True, min_width=7)),
        )
        total = int(trainer.num_training_batches) * (trainer.max_epochs or 1)
        done = self.first * int(trainer.num_training_batches)
        if self.budget:
            total, done = int(self.budget.seconds), int(self.budget.spent)
        self.task = self.bar.add_task(self._epoch(trainer), total=total, completed=done, scores="")
        self.bar.start()

    def _epoch(self, trainer: Trainer) -> str:
        return f"epoch {trainer.current_epoch + 1}{self._of(trainer)}"

    def _of(self, trainer: Trainer) -> str:
        return "" if self.budget else f"/{trainer.max_epochs}"

    def _scores(self, trainer: Trainer, **more: float) -> str:
        metrics = trainer.callback_metrics
        values = {"loss": metrics.get("train/loss"), "val accuracy": metrics.get("val/accuracy"), **more}
        told = {name: f"{name} {float(value):.4f}" for name, value in values.items() if value is not None}
        if self.bar is not None:  # else times and ETA would be cut off
            for name in ("objective", "loss"):
                if len("  ".join(told.values())) > self.bar.console.width - OTHERS:
                    told.pop(name, None)
        return "  ".join(told.values())

    def on_train_batch_end(
        self, trainer: Trainer, module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        now = time.monotonic()
        if self.bar is None or now - self.moved < REDRAW:
            return
        self.moved = now
        done = trainer.current_epoch * int(trainer.num_training_batches) + batch_idx + 1
        if self.budget:
            done = int(self.budget.spent)
        self.bar.update(self.task, completed=done, description=self._epoch(trainer))
        if now - self.looked > GLANCE:
            self.looked = now
            self.bar.update(
                self.task,
                scores=self._scores(trainer, objective=outputs["loss"].item() * trainer.accumulate_grad_batches),
            )

    def on_train_epoch_start(self, trainer: Trainer, module: LightningModule) -> None:
        if trainer.current_epoch > self.first:  # only now are all scores of the last epoch there
            self._tell(trainer, trainer.current_epoch)

    def _tell(self, trainer: Trainer, epochs: int) -> None:
        if self.bar is not None:
            done = {} if self.budget else {"completed": epochs * int(trainer.num_training_batches)}
            self.bar.update(self.task, scores=self._scores(trainer), **done)  # type: ignore[arg-type]
        elif trainer.is_global_zero:
            spent = time.monotonic() - self.began
            left = spent / max(1, epochs - self.first) * ((trainer.max_epochs or epochs) - epochs)
            if self.budget:
                left = max(0.0, self.budget.seconds - self.budget.spent)
            scores = self._scores(trainer)
            print(f"epoch {epochs}{self._of(trainer)}  {scores}  {spent:.0f} s, ETA {left:.0f} s", flush=True)

    def on_train_end(self, trainer: Trainer, module: LightningModule) -> None:
        self._tell(trainer, trainer.current_epoch)
        self._close()

    def on_exception(self, trainer: Trainer, module: LightningModule, exception: BaseException) -> None:
        self._close()

    def _close(self) -> None:
        if self.bar is not None:
            self.bar.stop()
            self.bar = None
