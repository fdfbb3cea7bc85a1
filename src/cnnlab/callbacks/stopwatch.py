"""How long training takes."""

import time
from collections import deque
from statistics import median
from typing import Any

import torch
from lightning import Callback, Trainer

from cnnlab import energy

LAST = 100  # steps whose median is a step's time


class Stopwatch(Callback):
    """Seconds and images of training proper (validation apart), seconds of validation, and seconds of it all, summed
    over attempts; and the time of a step.

    images_a_batch: of all processes.
    """

    def __init__(self, images_a_batch: int) -> None:
        self.images_a_batch = images_a_batch
        self.seconds = 0.0
        self.images = 0
        self.fit_seconds = 0.0
        self.validation_seconds = 0.0
        self._steps: deque[float] = deque(maxlen=LAST)
        self._batch_ended = 0.0
        self._judgings: deque[float] = deque(maxlen=LAST)
        self._judging_ended = 0.0
        self._fitting_since = 0.0
        self._energy_before: float | None = 0.0  # of earlier attempts; None: one of them could not tell
        self._counters: energy.Counters = {}
        self._device = torch.device("cpu")
        self._since: float | None = None

    @property
    def step_seconds(self) -> float:
        """The median of the latest steps, from the end of one batch to that of the next."""
        return median(self._steps) if self._steps else 0.0

    @property
    def training_seconds(self) -> float:
        """Until now."""
        return self.seconds + (time.perf_counter() - self._since if self._since is not None else 0.0)

    @property
    def energy_joules(self) -> float | None:
        """Of all that ran on this machine's processors and this process' GPU in the meantime; None where unknown."""
        if not self._counters or self._energy_before is None:
            return self._energy_before or None
        spent = energy.joules(self._counters, energy.counters(self._device))
        return None if spent is None else self._energy_before + spent

    @property
    def validation_step_seconds(self) -> float:
        """The same of a batch in validation."""
        return median(self._judgings) if self._judgings else 0.0

    def _go(self) -> None:
        self._since = self._batch_ended = time.perf_counter()

    def _stop(self) -> None:
        if self._since is not None:
            self.seconds += time.perf_counter() - self._since
            self._since = None

    def on_train_epoch_start(self, *_: Any) -> None:
        self._go()

    def on_validation_start(self, *_: Any) -> None:
        self._stop()
        self._validating_since = self._judging_ended = time.perf_counter()

    def on_validation_batch_end(self, *_: Any) -> None:
        now = time.perf_counter()
        self._judgings.append(now - self._judging_ended)
        self._judging_ended = now

    def on_validation_end(self, *_: Any) -> None:
        self.validation_seconds += time.perf_counter() - self._validating_since
        self._go()

    def on_train_epoch_end(self, *_: Any) -> None:
        self._stop()

    def on_train_batch_end(self, *_: Any) -> None:
        self.images += self.images_a_batch
        now = time.perf_counter()
        self._steps.append(now - self._batch_ended)
        self._batch_ended = now

    def on_fit_start(self, trainer: Trainer, *_: Any) -> None:
        self._fitting_since = time.perf_counter()
        self._device = trainer.strategy.root_device
        self._counters = energy.counters(self._device)

    def on_fit_end(self, *_: Any) -> None:
        self.fit_seconds += time.perf_counter() - self._fitting_since
        self._energy_before, self._counters = self.energy_joules, {}

    def state_dict(self) -> dict[str, float | None]:
        """For a run that goes on."""
        now = time.perf_counter()
        return {
            "seconds": self.training_seconds,
            "images": self.images,
            "validation_seconds": self.validation_seconds,
            "fit_seconds": self.fit_seconds + now - self._fitting_since,
            "energy_joules": self.energy_joules,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """What state_dict gave."""
        self.seconds, self.fit_seconds = state_dict["seconds"], state_dict["fit_seconds"]
        self.images, self.validation_seconds = int(state_dict["images"]), state_dict["validation_seconds"]
        self._energy_before = state_dict.get("energy_joules")  # older checkpoints lack it
