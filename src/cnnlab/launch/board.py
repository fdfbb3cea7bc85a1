"""What a sweep shows while it runs: a live table in a terminal, lines elsewhere."""

import csv
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from cnnlab.errors import UserError
from cnnlab.run import Run


class Board:
    """Cells done, running with epoch and accuracy, failed, and the time to go."""

    def __init__(self, todo: int, console: Console) -> None:
        self.todo = todo
        self.console = console
        self.done = 0
        self.failed = 0
        self.begun = time.monotonic()
        self.live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None

    def __enter__(self) -> "Board":
        if self.live:
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.live:
            self.live.stop()

    def ended(self, folder: Path) -> None:
        """A line about a cell that came to its end."""
        try:
            status = Run(folder).status
            accuracy = Run(folder).result().get("metrics", {}).get("val/accuracy") if Run(folder).done else None
        except UserError as error:  # someone has edited its files; the others go on
            status, accuracy = {"state": "unreadable", "error": str(error)}, None
        good = status.get("state") == "done"
        self.done, self.failed = self.done + good, self.failed + (not good)
        shown = "?" if accuracy is None else f"{accuracy:.2%}"
        words = f"val accuracy {shown}" if good else last_line(status)
        spent = f"{status.get('seconds', 0):.0f} s"
        count = f"{self.done + self.failed}/{self.todo}"
        self.console.print(
            f"{count}  {status.get('state', 'failed')}  {folder.name}  {words}  {spent}, {self.eta()}",
            soft_wrap=True,
            markup=False,
            highlight=False,
        )

    def look(self, running: list[tuple[Path, float]]) -> None:
        """Draws anew: folders of what runs, and since when (time.monotonic)."""
        if not self.live:
            return
        table = Table(box=None)
        for column in ("running", "epoch", "val accuracy", "seconds"):
            table.add_column(column, justify="left" if column == "running" else "right", overflow="fold")
        for folder, since in running:
            epoch, accuracy = latest(folder)
            table.add_row(folder.name, epoch, accuracy, f"{time.monotonic() - since:.0f}")
        counts = f"{self.done} done, {len(running)} running, {self.failed} failed, "
        table.caption = counts + f"{self.todo - self.done - self.failed - len(running)} waiting, {self.eta()}"
        table.caption_justify = "left"
        self.live.update(table, refresh=True)

    def eta(self) -> str:
        """Time to go, if all cells take as long as those that came to their end."""
        ended = self.done + self.failed
        if not ended:
            return "ETA unknown"
        return f"ETA {(time.monotonic() - self.begun) / ended * (self.todo - ended):.0f} s"


def latest(folder: Path) -> tuple[str, str]:
    """Epochs done and validation accuracy, empty where the curves do not tell."""
    try:
        row = last_row(folder / "metrics.csv")
        accuracy = f"{float(row['val/accuracy']):.2%}" if row.get("val/accuracy") else ""
        return (str(int(float(row["epoch"])) + 1) if row.get("epoch") else ""), accuracy
    except (OSError, ValueError, TypeError, OverflowError):  # someone has edited them
        return "", ""


def last_line(status: dict[str, Any]) -> str:
    """Of a cell's error."""
    return str(status.get("error", "")).strip().rsplit("\n", 1)[-1]


def last_row(file: Path) -> dict[str, str]:
    """The latest epoch of a run's curves; empty before the first.

    Raises:
        OSError, ValueError: the file cannot be read.
    """
    try:
        with file.open(newline="", encoding="utf-8") as table:
            rows = list(csv.DictReader(table))
    except FileNotFoundError:  # there is none yet, or an attempt began anew
        return {}
    except csv.Error as error:
        raise ValueError(str(error)) from error
    return rows[-1] if rows else {}
