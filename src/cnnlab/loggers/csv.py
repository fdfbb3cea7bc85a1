"""metrics.csv, always written: one row an epoch."""

import csv
import io
from math import isclose, nan
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from cnnlab.atomic import write_text
from cnnlab.errors import UserError


class Curves(Logger):
    """Collects what is logged under train/ and val/ into rows by epoch; the file is whole at any moment."""

    def __init__(self, file: Path, epochs: int | None, saved: list[dict[str, float]] | None = None) -> None:
        """epochs: how many of the file's a run goes on from; None: it begins anew. saved: them, from a checkpoint;
        those of before do not have them.

        Raises:
            UserError: the file is needed, and does not have them; or is a folder.
        """
        super().__init__()
        self.file = file
        self.goes_on = epochs is not None
        self.chosen: dict[str, float] | None = None
        if file.is_dir():
            raise UserError(f"{file} is a folder: move it away, and the same command goes on without it")
        rows = saved if saved is not None else read(file, epochs) if epochs else []
        self.rows = {
            int(row["epoch"]): {**row, "epoch": int(row["epoch"])} for row in rows if row["epoch"] < (epochs or 0)
        }

    @property
    def name(self) -> str:
        """Lightning asks for one."""
        return "csv"

    @property
    def version(self) -> str:
        """Lightning asks for one."""
        return ""

    @rank_zero_only
    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Nothing: .hydra/config.yaml has them."""

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Adds to the epoch's row; test scores are a result, not a curve."""
        epoch = int(metrics["epoch"])
        curves = {name: value for name, value in metrics.items() if name.startswith(("train/", "val/"))}
        if curves:
            self.rows.setdefault(epoch, {"epoch": epoch}).update({"step": float(step or 0), **curves})

    @rank_zero_only
    def save(self) -> None:
        """Writes all rows."""
        if not self.rows:
            return
        columns = ["epoch", "step", *sorted({name for row in self.rows.values() for name in row} - {"epoch", "step"})]
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, "step": int(row["step"])} for _, row in sorted(self.rows.items()))
        write_text(self.file, text.getvalue())

    def so_far(self) -> list[dict[str, float]]:
        """All rows, for a checkpoint."""
        return [dict(row) for _, row in sorted(self.rows.items())]

    def choose(self, epoch: int, step: int, scores: dict[str, float]) -> None:
        """Tells which epoch best.ckpt is of, and its validation.

        Where a run went back, that may be an epoch that was given up, whose row another one has taken.
        """
        row = self.rows.get(epoch, {})
        same = row and all(isclose(row.get(name, nan), score, rel_tol=1e-6) for name, score in scores.items())
        self.chosen = row if same else {"epoch": epoch, "step": step, **scores}

    def best(self) -> dict[str, float]:
        """The scores of best.ckpt's epoch: the chosen one, else the last with the highest val/accuracy."""
        return self.chosen or max(self.rows.values(), key=lambda row: (row.get("val/accuracy", -1.0), row["epoch"]))


def read(file: Path, epochs: int) -> list[dict[str, float]]:
    """The rows of so many epochs, or more.

    Raises:
        UserError: they are not all there, or are no numbers.
    """
    try:
        with file.open(newline="", encoding="utf-8", errors="strict") as table:
            rows = [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(table)]
        require_epochs(rows, epochs)
    except (OSError, ValueError, TypeError, LookupError, csv.Error) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise UserError(
            f"{file}: {why}. The checkpoint is of an older cnnlab, which needs it to go on: put the file back, or "
            f"delete {file.parent}, and the run begins anew"
        ) from error
    return rows


def require_epochs(rows: list[dict[str, float]], count: int) -> None:
    """Raises ValueError unless each has its row."""
    if [row["epoch"] for row in rows[:count]] != list(range(count)) or not all("step" in row for row in rows):
        raise ValueError(f"it does not have epochs 0 to {count - 1}, one a row")
