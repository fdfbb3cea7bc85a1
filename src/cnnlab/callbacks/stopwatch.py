"""How long training takes."""

import time
from typing import Any

from lightning import Callback


class Stopwatch(Callback):
    """Seconds and images of training proper (validation apart), and seconds of it all, summed over attempts.

    images_a_batch: of all processes.
    """

    def __init__(self, images_a_batch: int) -> None:
        self.images_a_batch = images_a_batch
        self.seconds = 0.0
        self.images = 0
        self.fit_seconds = 0.0
        self._fitting_since = 0.0
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
        self.images += self.images_a_batch

    def on_fit_start(self, *_: Any) -> None:
        self._fitting_since = time.perf_counter()

    def on_fit_end(self, *_: Any) -> None:
        self.fit_seconds += time.perf_counter() - self._fitting_since

    def state_dict(self) -> dict[str, float]:
        """For a run that goes on."""
        now = time.perf_counter()
        return {
            "seconds": self.seconds,
            "images": self.images,
            "fit_seconds": self.fit_seconds + now - self._fitting_since,
        }

    def load_state_dict(self, state_dict: dict[str, float]) -> None:
        """What state_dict gave."""
        self.seconds, self.fit_seconds = state_dict["seconds"], state_dict["fit_seconds"]
        self.images = int(state_dict["images"])
