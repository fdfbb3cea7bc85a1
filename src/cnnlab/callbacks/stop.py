"""A signal ends training after the step in work, in cnnlab's way instead of Lightning's."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer

LOOK = 0.5  # seconds between the processes' questions whether one of them was asked to stop
# torch's agent tells its ranks what the system may have told all processes already
SAME = 3.0  # seconds in which that is one signal
NUMBERS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2)  # SIGUSR2: before the time limit of a job of submitit's


@contextmanager
def handlers_kept() -> Iterator[None]:
    """Whatever handled signals before handles them afterwards: Lightning forgets it where an error ends training."""
    before = {number: signal.getsignal(number) for number in NUMBERS}
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)


class Stop(Callback):
    """Takes note of a signal; what was to handle it has its turn when the step is done and saved. The second signal is
    handled at once.

    Lightning's handler broadcasts to the other processes from inside, which locks up with whatever collective the
    signal interrupted, until torch's agent kills them.
    """

    def __init__(self) -> None:
        self.before = {number: signal.getsignal(number) for number in NUMBERS}
        self.parent = os.getppid()
        self.number: int | None = None
        self.since = 0.0
        self.steps_left = 1
        self.steps = 0
        self.looked = time.monotonic()

    def _listen(self) -> None:
        for number, handler in self.before.items():
            if callable(handler) or (handler is signal.SIG_DFL and number != signal.SIGUSR2):
                signal.signal(number, self._note)

    def on_train_start(self, *_: Any) -> None:
        self._listen()

    def on_test_start(self, *_: Any) -> None:
        self._listen()

    def _note(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        of_an_agent = self.before[signal.Signals(number)] is signal.SIG_DFL
        if of_an_agent and os.getppid() != self.parent:  # the agent was killed: another one may take over soon
            os._exit(128 + number)
        if self.number is None:
            self.number, self.since = number, now
        elif not (of_an_agent and now - self.since < SAME):
            self._handle(number, frame)

    def asked(self, trainer: Trainer, surely: bool) -> bool:
        """Whether a process of this run has got a signal; all of them ask after the same step, and get one answer.

        surely: they do ask, whenever it was that they did last.
        """
        if trainer.world_size == 1:
            return self.number is not None
        self.steps += 1
        if self.steps < self.steps_left and not surely:
            return False
        now = time.monotonic()
        a_step = (now - self.looked) / self.steps
        told = torch.tensor([float(self.number or 0), a_step], device=trainer.strategy.root_device)
        torch.distributed.all_reduce(told, torch.distributed.ReduceOp.MAX)
        number, slowest = told.tolist()
        self.steps, self.steps_left, self.looked = 0, max(1, int(LOOK / slowest)), now
        if number and self.number is None:
            self.number = int(number)
        return bool(number)

    def obey(self) -> None:
        """Ends the process, unless whoever listens to the signal lets it go on."""
        if self.number is not None:
            number, self.number = self.number, None
            self._handle(number, None)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        handler = self.before[signal.Signals(number)]
        if callable(handler) and handler is not signal.default_int_handler:
            handler(number, frame)
        else:
            raise SystemExit(128 + number)

    # what was validated or tested is done again, so that there is nothing to save

    def on_validation_batch_end(self, *_: Any) -> None:
        self.obey()

    def on_test_batch_end(self, *_: Any) -> None:
        self.obey()

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        self.obey()
