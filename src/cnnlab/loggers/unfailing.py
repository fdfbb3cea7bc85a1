"""What loggers of other programs and servers have in common: their errors never end a training."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from lightning.pytorch.loggers.logger import Logger

from cnnlab.errors import Diverged
from cnnlab.loggers.csv import Curves

log = logging.getLogger(__name__)


class Unfailing(Logger):
    """To be put before the class of a logger, which is used no more once it has failed."""

    broken = False

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """As the class behind."""
        with self.going_on():
            super().log_metrics(dict(metrics), step)  # type: ignore[safe-super]

    def finalize(self, status: str = "success") -> None:
        """As the class behind."""
        with self.going_on():
            super().finalize(status)

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Whatever fails inside is told; a service may have been killed, a server be gone, or a disk be full."""
        try:
            yield
        except Exception as error:  # of any kind: what others raise is not ours to know
            if not self.broken:
                words = f"{type(self).__mro__[2].__name__} failed ({type(error).__name__}: {error})"
                log.warning("%s; metrics.csv and result.json have what it lacks from here on", words)
            self.broken = True


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
    best = {f"best/{name}": value for name, value in curves.best().items() if name != "step"}
    test = {name: value for name, value in result["metrics"].items() if name.startswith("test/")}
    cost = {f"cost/{name}": value for name, value in result["cost"].items()}
    return {**best, **test, **cost}
