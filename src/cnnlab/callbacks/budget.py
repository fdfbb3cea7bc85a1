"""Where training ends within an epoch: Lightning would stop there without a validation."""

from typing import Any

from lightning import Callback, LightningModule, Trainer

from cnnlab.callbacks.stopwatch import Stopwatch


class LastStep(Callback):
    """After trainer.max_steps, if there is one."""

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        if 0 < trainer.max_steps <= trainer.global_step:
            trainer.should_stop = True


class TimeBudget(Callback):
    """After the step at which so many seconds of training are spent, as the stopwatch has them: over all attempts.

    Rank 0's count. Several processes agree at steps that come the closer together the less time is left, since asking
    each time would cost some.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.spent = 0.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.stopwatch = next(c for c in trainer.callbacks if isinstance(c, Stopwatch))  # type: ignore[attr-defined]
        self.first = self.step = trainer.global_step
        self.at_first = self.spent = self.stopwatch.training_seconds
        self.look_at = self.first + 1

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        made_a_step, self.step = trainer.global_step > self.step, trainer.global_step
        if not made_a_step or self.step < self.look_at:
            return
        self.spent = float(trainer.strategy.broadcast(self.stopwatch.training_seconds))
        if self.spent >= self.seconds:
            trainer.should_stop = True
        self.look_at = self.step + 1
        if trainer.world_size > 1:
            a_step = (self.spent - self.at_first) / (self.step - self.first)
            self.look_at += int((self.seconds - self.spent) / 2 / a_step)
