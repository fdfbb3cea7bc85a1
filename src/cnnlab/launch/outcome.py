"""What became of the cells of a sweep, for Hydra and for people."""

from collections.abc import Sequence
from typing import Any

from hydra.core.utils import JobReturn, JobStatus
from rich.table import Table
from rich.text import Text

from cnnlab.errors import UserError
from cnnlab.run import Run
from cnnlab.sweep.cells import Cell

ROWS = 50  # of the table


class Told(JobReturn):
    """Hydra's, which would print all overrides before it raises what it holds."""

    @property
    def return_value(self) -> Any:
        if self.status == JobStatus.FAILED:
            raise self._return_value
        return self._return_value

    @return_value.setter
    def return_value(self, value: Any) -> None:
        self._return_value = value


def outcome(cell: Cell, waited: bool) -> JobReturn:
    """What Hydra expects of a job; one that nobody waited for has not failed because it is not done."""
    run = Run(cell.folder)
    told = Told(overrides=cell.overrides)
    if run.done:
        told.status = JobStatus.COMPLETED
        told.return_value = run.result()["metrics"]["val/accuracy"]
    elif run.settled or (not waited and run.status.get("state") != "failed"):
        told.status = JobStatus.COMPLETED
    else:
        told.status = JobStatus.FAILED
        told.return_value = UserError(
            f"some cells did not finish; the first is {run.folder.name} ({what_happened(run.status)}). "
            f"{run.folder}/status.json and console.log tell more. "
            "The same command again retries them and keeps the rest."
        )
    return told


def what_happened(status: dict[str, Any]) -> str:
    """To a cell that is not done."""
    return str(status.get("error") or status.get("state") or "it never began")


def table(cells: Sequence[Cell]) -> Table:
    """What became of the cells, or of the first of them."""
    shown = Table(box=None)
    shown.add_column("cell", overflow="fold")
    shown.add_column("state")
    shown.add_column("val accuracy", justify="right")
    shown.add_column("test accuracy", justify="right")
    for cell in cells[:ROWS]:
        run = Run(cell.folder)
        metrics = run.result()["metrics"] if run.done else {}
        scores = [f"{metrics[key]:.2%}" if key in metrics else "" for key in ("val/accuracy", "test/accuracy")]
        shown.add_row(Text(cell.part.told or cell.folder.name), run.status.get("state", "not started"), *scores)
    if len(cells) > ROWS:
        shown.caption = f"and {len(cells) - ROWS:,} more: cnnlab status {cells[0].study.name} --all"
    return shown
