"""SIGTERM ends a process in cnnlab's way, not in Lightning's."""

import signal
from typing import Any

from lightning import Callback


class Stop(Callback):
    """Puts back the handler that Lightning replaces.

    Lightning's broadcasts to the other processes from inside the handler, which locks up with whatever collective the
    signal interrupted, until torch's agent kills them after 30 seconds.
    """

    def __init__(self) -> None:
        self.handler = signal.getsignal(signal.SIGTERM)

    def _restore(self) -> None:
        signal.signal(signal.SIGTERM, self.handler)

    def on_train_start(self, *_: Any) -> None:
        self._restore()

    def on_test_start(self, *_: Any) -> None:
        self._restore()
