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

    def _go(self, *_: Any) -> None:
        self._since = time.perf_counter()

    def _stop(self, *_: Any) -> None:
        if self._since is not None:
            self.seconds += time.perf_counter() - self._since
            self._since = None

    on_train_epoch_start = on_validation_end = _go
    on_validation_start = on_train_epoch_end = on_exception = _stop

    def on_train_batch_end(self, *_: Any) -> None:
        self.batches += 1
