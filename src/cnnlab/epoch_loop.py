"""Lightning's loop over the batches of an epoch, without what costs time in each step and has no effect here."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback, EarlyStopping, WeightAveraging
from lightning.pytorch.loops.fetchers import _DataFetcher
from lightning.pytorch.loops.training_epoch_loop import _TrainingEpochLoop
from lightning.pytorch.loops.utilities import _block_parallel_sync_behavior
from lightning.pytorch.plugins.precision import MixedPrecision, Precision
from lightning.pytorch.profilers import PassThroughProfiler
from lightning.pytorch.strategies import DDPStrategy, SingleDeviceStrategy
from torch import Tensor
from torch.optim import Optimizer

# Lightning's callbacks that log nothing in a step
QUIET = (EarlyStopping, WeightAveraging)
HOOKS = (
    "on_train_batch_start",
    "on_before_zero_grad",
    "on_before_backward",
    "on_after_backward",
    "on_before_optimizer_step",
    "on_train_batch_end",
)


class EpochLoop(_TrainingEpochLoop):
    """Does what Lightning's does in a step, in the same order and with the same counters, but calls only hooks that
    somebody has, and calls them directly.

    Lightning's own way costs 0.5 ms a step and more, most of it for hooks without content, for profilers that are off
    and for metrics that nobody logs in a step. That way is still gone where a profiler is on, the precision or the
    strategy is not a usual one, or a callback from elsewhere might log in a step.
    """

    hooks: dict[str, list[Callable[..., Any]]] | None = None  # by name; None: Lightning's own way

    def on_run_start(self, data_fetcher: _DataFetcher) -> None:
        super().on_run_start(data_fetcher)
        self.hooks = None
        if is_usual(self.trainer):
            module, callbacks = self.trainer.lightning_module, self.trainer.callbacks
            self.hooks = {name: hooks_of(name, callbacks, module) for name in HOOKS}
            self.schedulers = [c for c in self.trainer.lr_scheduler_configs if c.interval == "step"]
            self.steps_each = self.trainer.accumulate_grad_batches == 1
            # what Lightning's precision and strategy put around a training step
            self.direct = type(self.trainer.precision_plugin) is Precision and self.trainer.strategy.model is module
            self.moves = self.trainer.strategy.root_device.type != "cpu"
            self.clips = bool(self.trainer.gradient_clip_val)

    def advance(self, data_fetcher: _DataFetcher) -> None:
        if self.hooks is None or self.restarting:
            super().advance(data_fetcher)
            return
        trainer = self.trainer
        batch, _, _ = next(data_fetcher)
        batch_idx = self.batch_idx + 1
        progress = self.batch_progress
        progress.is_last_batch = data_fetcher.done
        if self.moves:
            batch = trainer.strategy.batch_to_device(batch)
        else:
            batch = trainer.datamodule.on_after_batch_transfer(batch, 0)
        progress.increment_ready()
        connector = trainer._logger_connector
        if connector._first_loop_iter is not False:  # what is logged from now on is in an epoch
            connector.on_batch_start(None)
        self.call("on_train_batch_start", batch, batch_idx)
        progress.increment_started()
        loss = self.train(batch, batch_idx)
        progress.increment_processed()
        self.update_lr_schedulers("step", update_plateau_schedulers=False)
        if self._num_ready_batches_reached():
            self.update_lr_schedulers("epoch", update_plateau_schedulers=False)
        self.call("on_train_batch_end", {"loss": loss}, batch, batch_idx)
        progress.increment_completed()

    def call(self, name: str, *arguments: Any) -> None:
        """Callbacks' hooks, then the module's own."""
        assert self.hooks is not None
        for hook in self.hooks[name]:
            hook(*arguments)

    def train(self, batch: Any, batch_idx: int) -> Tensor:
        """Gradients of a batch, and a step where it is time for one; the loss as Lightning hands it on."""
        trainer = self.trainer
        optimizer = trainer.optimizers[0]
        if self._should_accumulate():
            with _block_parallel_sync_behavior(trainer.strategy, block=True):
                return self.gradients(batch, batch_idx, optimizer)
        done = self.automatic_optimization.optim_progress.optimizer.step
        done.increment_ready()
        loss = self.gradients(batch, batch_idx, optimizer)
        self.call("on_before_optimizer_step", optimizer)
        if self.clips:
            trainer.precision_plugin._clip_gradients(
                trainer.lightning_module, optimizer, trainer.gradient_clip_val, trainer.gradient_clip_algorithm
            )
        optimizer.step()
        done.increment_completed()
        return loss

    def gradients(self, batch: Any, batch_idx: int, optimizer: Optimizer) -> Tensor:
        """Forward and backward."""
        trainer = self.trainer
        pieces = trainer.accumulate_grad_batches
        step = trainer.lightning_module.training_step if self.direct else trainer.strategy.training_step
        loss: Tensor = step(batch, batch_idx)
        if pieces > 1:
            loss = loss / pieces
        if batch_idx % pieces == 0:
            zeroed = self.automatic_optimization.optim_progress.optimizer.zero_grad
            zeroed.increment_ready()
            self.call("on_before_zero_grad", optimizer)
            zeroed.increment_started()
            optimizer.zero_grad()
            zeroed.increment_completed()
        self.call("on_before_backward", loss)
        loss.backward()  # type: ignore[no-untyped-call]
        self.call("on_after_backward")
        return loss.detach()

    def _update_learning_rates(self, interval: str, update_plateau_schedulers: bool) -> None:
        if self.hooks is None or interval != "step":
            super()._update_learning_rates(interval, update_plateau_schedulers)
            return
        for config in () if update_plateau_schedulers else self.schedulers:
            self.scheduler_progress.increment_ready()
            config.scheduler.step()
            self.scheduler_progress.increment_completed()

    def _should_accumulate(self) -> bool:
        return not (self.hooks is not None and self.steps_each) and super()._should_accumulate()

    def on_advance_end(self, data_fetcher: _DataFetcher) -> None:
        trainer = self.trainer
        validates = (
            trainer.check_val_every_n_epoch is None
            or trainer._val_check_time_interval is not None
            or self.batch_progress.current.ready % trainer.val_check_batch == 0
        )
        if self.hooks is None or self.batch_progress.is_last_batch or trainer.should_stop or validates:
            super().on_advance_end(data_fetcher)
        elif not self._should_accumulate():
            self._batches_that_stepped += 1


def install(trainer: lightning.Trainer) -> None:
    """Has the Trainer train in this loop."""
    before = trainer.fit_loop.epoch_loop
    trainer.fit_loop.epoch_loop = EpochLoop(trainer, before.min_steps, before.max_steps)


def is_usual(trainer: lightning.Trainer) -> bool:
    """Whether nothing is asked for that the shorter way does not do."""
    plugin, schedules = trainer.precision_plugin, trainer.lr_scheduler_configs
    closure = inspect.signature(type(trainer.optimizers[0]).step).parameters.get("closure")
    return (
        isinstance(trainer.profiler, PassThroughProfiler)  # type: ignore[attr-defined]
        and (type(plugin) is Precision or (type(plugin) is MixedPrecision and plugin.scaler is None))
        and isinstance(trainer.strategy, SingleDeviceStrategy | DDPStrategy)
        and all(is_quiet(callback) for callback in trainer.callbacks)  # type: ignore[attr-defined]
        and (closure is None or closure.default is None)
        and all(c.interval == "epoch" or (c.frequency == 1 and not c.reduce_on_plateau) for c in schedules)
        and not trainer.fast_dev_run  # type: ignore[attr-defined]
    )


def is_quiet(callback: Callback) -> bool:
    """Whether it is known to log nothing in a step."""
    return type(callback).__module__.startswith("cnnlab.") or isinstance(callback, QUIET)


def hooks_of(name: str, callbacks: list[Callback], module: lightning.LightningModule) -> list[Callable[..., Any]]:
    """Those that somebody has, each taking what is particular to the hook."""
    overridden = [c for c in callbacks if getattr(type(c), name) is not getattr(Callback, name)]
    hooks: list[Callable[..., Any]] = [partial(getattr(c, name), module.trainer, module) for c in overridden]
    own = getattr(lightning.LightningModule, name, None)
    if getattr(type(module), name, None) is not own:
        hooks.append(getattr(module, name))
    return hooks
