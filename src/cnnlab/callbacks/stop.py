"""SIGTERM ends a process in cnnlab's way, not in Lightning's."""

import signal
from typing import Any

from lightning import Callback

from cnnlab.launch.child import stopped


class Stop(Callback):
    """Puts back the handler that Lightning replaces; a process that had none, as a rank, gets one that closes things.

    Lightning's broadcasts to the other processes from inside the handler, which locks up with whatever collective the
    signal interrupted, until torch's agent kills them.
    """

    def __init__(self) -> None:
        before = signal.getsignal(signal.SIGTERM)
        self.handler = stopped if before is signal.SIG_DFL else before

    def _restore(self) -> None:
        signal.signal(signal.SIGTERM, self.handler)

    def on_train_start(self, *_: Any) -> None:
        self._restore()

    def on_test_start(self, *_: Any) -> None:
        self._restore()
