"""What loggers of other programs and servers have in common: their errors never end a training."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.loggers.logger import DummyLogger

from cnnlab.errors import Diverged
from cnnlab.loggers.csv import Curves

log = logging.getLogger(__name__)
FAILED = "loggers_failed.txt"  # in a run's folder: a line for each that is not whole


class Unfailing(Logger):
    """To be put before the class of a logger, which is used no more once it has failed."""

    broken = False
    folder: Path  # of the run

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """As the class behind."""
        self.attempt(super().log_metrics, counted(metrics), step)  # type: ignore[safe-super]

    def save(self) -> None:
        """As the class behind."""
        self.attempt(super().save)

    def finalize(self, status: str = "success") -> None:
        """As the class behind."""
        self.attempt(super().finalize, status)

    def attempt(self, work: Callable[..., object], *arguments: Any, last: bool = False) -> None:
        """Does the work, unless something has failed before; what it raises is told, and noted in the run's folder.

        last: done in any case, as a run is to be closed.
        """
        if self.broken and not last:
            return
        try:
            work(*arguments)
        except Exception as error:  # of any kind: a service may have been killed, a server be gone, or a disk be full
            if not self.broken:
                name = type(self).__mro__[2].__name__
                words = f"{name} failed ({note(self.folder, name, error)})"
                log.warning("%s; metrics.csv and result.json have what it lacks from here on", words)
            self.broken = True


def unusable(folder: Path, name: str, error: Exception) -> Logger:
    """What is there instead of a logger that could not begin; which is told."""
    log.warning("%s cannot be used (%s); the run goes on without it", name, note(folder, name, error))
    return DummyLogger()


def note(folder: Path, name: str, error: Exception) -> str:
    """Leaves word of it for whoever looks after many runs; gives the error in a line."""
    cause = error.__cause__ or error  # Lightning takes whatever TensorBoard raises for a wrong number
    first, *_ = str(cause).splitlines() or [""]
    words = f"{type(cause).__name__}: {first:.200}"
    try:
        with (folder / FAILED).open("a", encoding="utf-8") as file:
            file.write(f"{name}: {words}\n")
    except OSError as no_room:  # the disk may be what has failed
        log.warning("%s cannot be written (%s)", folder / FAILED, no_room)
    return words


def counted(metrics: Mapping[str, float]) -> dict[str, float]:
    """With the epoch as the terminal counts it, from 1; Lightning counts from 0, and before the test once more."""
    more = 0 if any(name.startswith("test/") for name in metrics) else 1
    return {name: value + more if name == "epoch" else value for name, value in metrics.items()}


def ending(error: BaseException) -> tuple[int, dict[str, Any]]:
    """The exit code, and what status.json says of it, too."""
    if isinstance(error, KeyboardInterrupt):
        return 130, {"state": "interrupted"}
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1, {"state": "interrupted"}
    state = "diverged" if isinstance(error, Diverged) else "failed"
    return 1, {"state": state, "error": f"{type(error).__name__}: {error}"}


def scores(result: dict[str, Any], curves: Curves) -> dict[str, float]:
    """Those of the best epoch (best/), of the test, and what it cost (cost/)."""
    best = {f"best/{name}": value for name, value in counted(curves.best()).items() if name != "step"}
    test = {name: value for name, value in result["metrics"].items() if name.startswith("test/")}
    cost = {f"cost/{name}": value for name, value in result["cost"].items()}
    return {**best, **test, **cost}
