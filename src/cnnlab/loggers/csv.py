"""metrics.csv, always written: one row an epoch."""

import csv
import io
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from cnnlab.atomic import write_text


class Curves(Logger):
    """Collects what is logged under train/ and val/ into rows by epoch; the file is whole at any moment."""

    def __init__(self, file: Path, epochs: int | None) -> None:
        """epochs: how many of the file's a run goes on from; None: it begins anew."""
        super().__init__()
        self.file = file
        self.goes_on = epochs is not None
        self.rows: dict[int, dict[str, float]] = {}
        if epochs:
            with file.open(newline="", encoding="utf-8") as table:
                for row in csv.DictReader(table):
                    values = {name: float(value) for name, value in row.items() if value}
                    if values["epoch"] < epochs:
                        self.rows[int(values["epoch"])] = {**values, "epoch": int(values["epoch"])}

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

    def best(self) -> dict[str, float]:
        """The last row with the highest val/accuracy, which is the epoch of best.ckpt."""
        return max(self.rows.values(), key=lambda row: (row.get("val/accuracy", -1.0), row["epoch"]))
