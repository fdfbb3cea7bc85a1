"""How long training takes, validation apart."""

import time
from typing import Any

from lightning import Callback


class Stopwatch(Callback):
    """Seconds and batches of training proper, summed over epochs."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.batches = 0
        self._since: float | None = None

    def _go(self) -> None:
        self._since = time.perf_counter()

    def _stop(self) -> None:
        if self._since is not None:
            self.seconds += time.perf_counter() - self._since
            self._since = None

    def on_train_epoch_start(self, *_: Any) -> None:
        self._go()

    def on_validation_start(self, *_: Any) -> None:
        self._stop()

    def on_validation_end(self, *_: Any) -> None:
        self._go()

    def on_train_epoch_end(self, *_: Any) -> None:
        self._stop()

    def on_train_batch_end(self, *_: Any) -> None:
        self.batches += 1
