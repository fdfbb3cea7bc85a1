"""Cells in processes of their own, as many at once as there is room for."""

import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from multiprocessing import connection, forkserver, get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from typing import Any

from cnnlab.errors import OutOfGpuMemory
from cnnlab.launch.child import CONSOLE, GRACE, Work, end_session, live, scrubbed
from cnnlab.launch.memory import more_pieces
from cnnlab.launch.places import Places, Taken
from cnnlab.run import Run

log = logging.getLogger(__name__)
LOOK = 0.5  # seconds between looks at what runs
# glibc's malloc, which reads these when the server starts, gives back and takes anew what each batch needs: 15 % of
# a tiny cell's time
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(32 * 2**20), "MALLOC_TRIM_THRESHOLD_": str(512 * 2**20)}


@dataclass
class Running:
    """A cell's process, and what it holds."""

    work: Work
    process: BaseProcess
    leash: Any  # closed with the launcher, which ends the process
    taken: Taken
    since: float
    attempt: int
    started: float  # by the clock, as in status.json
    before: int  # attempts that status.json knew of


class Pool:
    """Runs cells; what becomes of one touches no other. The server they are forked from begins to import at once.

    timeout: seconds an attempt may take, None for ever. max_attempts: how often a cell that fails is tried.
    task: what a cell's process does.
    """

    def __init__(
        self,
        places: Places,
        timeout: float | None,
        max_attempts: int,
        preload: list[str],
        task: Callable[[Work, Connection], None] = live,
    ) -> None:
        self.task = task
        self.places = places
        self.timeout = timeout
        self.max_attempts = max_attempts
        for name in set(os.environ) - set(scrubbed(dict(os.environ))):
            del os.environ[name]  # Lightning, imported in the server, would note its rank
        os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")  # asking for GPUs must not touch CUDA before a fork
        for name, value in KEEP_MEMORY.items():
            os.environ.setdefault(name, value)
        self.context: ForkServerContext = get_context("forkserver")
        self.context.set_forkserver_preload(preload)  # imports once what every cell needs
        forkserver.ensure_running()  # at once: it takes seconds, which the launcher has better things to do than wait
        self.running: list[Running] = []

    def run(self, cells: list[Work]) -> Iterator[Work | None]:
        """Trains all; gives each cell that came to its end, and None now and then for a look at those that run."""
        # the largest first: they would wait for the last of the small ones
        waiting = [(work, 1) for work in sorted(cells, key=lambda work: -work.config["trainer"]["devices"])]
        try:
            while waiting or self.running:
                waiting = [each for each in waiting if not self._start(*each)]
                connection.wait([one.process.sentinel for one in self.running], timeout=LOOK)
                for one in list(self.running):
                    if one.process.is_alive() and self.timeout and time.monotonic() - one.since > self.timeout:
                        self._end(one, f"it took more than hydra.launcher.timeout={self.timeout:g} seconds")
                    elif not one.process.is_alive():
                        self._end(one, None)
                    else:
                        continue
                    next_try = self._next_try(one)
                    if next_try:
                        waiting.append(next_try)
                    else:
                        yield one.work
                yield None
        finally:
            self._stop_all()

    def _start(self, work: Work, attempt: int) -> bool:
        """Whether there was room."""
        taken = self.places.take(work.config["trainer"])
        if taken is None:
            return False
        environment = {**os.environ, **work.environment}
        environment["OMP_NUM_THREADS"] = str(work.threads)
        if taken.gpus:
            environment["CUDA_VISIBLE_DEVICES"] = ",".join(taken.gpus)
        started, before = time.time(), Run(work.folder).status.get("attempt", 0)
        theirs, ours = self.context.Pipe(duplex=False)
        process = self.context.Process(target=self.task, args=(replace(work, environment=environment), theirs))
        process.start()
        theirs.close()
        self.running.append(Running(work, process, ours, taken, time.monotonic(), attempt, started, before))
        return True

    def _end(self, one: Running, reason: str | None) -> None:
        """Clears away all processes of a cell, and says what became of it if it could not say so itself."""
        if one.process.is_alive():
            one.process.kill()
        one.process.join()
        assert one.process.pid is not None
        end_session(one.process.pid, but=None)
        one.leash.close()
        self.running.remove(one)
        self.places.give_back(one.taken)
        code = one.process.exitcode or 0
        how = (
            f"it was ended by {signal.Signals(-code).name}" if code < 0 else f"its process ended with exit code {code}"
        )
        Run(one.work.folder).close(reason or f"{how}; {CONSOLE} shows what it said last", code, one.started, one.before)

    def _next_try(self, one: Running) -> tuple[Work, int] | None:
        """What is to be done about a cell that failed, if it is worth another attempt."""
        work, status = one.work, Run(one.work.folder).status
        if status.get("state") != "failed":
            return None
        pieces = more_pieces(work.config, work.pieces)
        if pieces and status["error"].startswith(OutOfGpuMemory.__name__):  # not counted as an attempt
            log.warning("%s: too little GPU memory; again with trainer.micro_batches=%s", work.folder.name, pieces)
            return replace(work, again=True, pieces=pieces), one.attempt
        if one.attempt < self.max_attempts:
            log.warning("%s: %s; attempt %s", work.folder.name, status["error"], one.attempt + 1)
            return replace(work, again=True), one.attempt + 1
        return None

    def _stop_all(self) -> None:
        """Asks what still runs to end, and ends what does not."""
        for one in self.running:
            one.process.terminate()
        deadline = time.monotonic() + GRACE
        for one in list(self.running):
            one.process.join(max(0.0, deadline - time.monotonic()))
            self._end(one, None)
