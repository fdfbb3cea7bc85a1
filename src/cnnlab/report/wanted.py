"""What the user picks of a report: the metric, rows and columns, baselines."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cnnlab.errors import UserError, did_you_mean
from cnnlab.report.cells import ReportedCell
from cnnlab.report.factors import Factors

METRIC = "test/accuracy"
SPLITS = ("test", "val", "train")


@dataclass(frozen=True)
class Wanted:
    """What the user picks; what is left empty is found. baselines: factor -> what its levels are compared with.

    folder: where the report will lie.
    """

    folder: Path
    metric: str = ""
    rows: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    baselines: dict[str, str] = field(default_factory=dict)


def metrics_of(cells: Sequence[ReportedCell]) -> list[str]:
    """That every finished cell has."""
    done = [cell.metrics.keys() for cell in cells if cell.state == "done"]
    common = set.intersection(*map(set, done)) if done else set()
    return sorted(name for name in common if "/" in name)


def metric_of(wanted: str, metrics: Sequence[str]) -> str:
    """
    Raises:
        UserError: it is not in the results; or, where there are none yet, it is the metric of no split.
    """
    if wanted and metrics and wanted not in metrics:
        near = did_you_mean(wanted, metrics)
        raise UserError(f"--metric {wanted}: not every finished cell has it.{near} There are: {', '.join(metrics)}")
    if wanted and wanted.split("/")[0] not in SPLITS:
        raise UserError(f"--metric {wanted}: it must begin with one of {', '.join(SPLITS)} and a slash, as {METRIC}")
    return wanted or next((name for name in (METRIC, "val/accuracy") if name in metrics), METRIC)


def checked(baselines: dict[str, str], factors: Factors) -> dict[str, str]:
    for name, level in baselines.items():
        _require_factor("--baseline", name, factors)
        if level not in factors.levels[name]:
            near = did_you_mean(level, factors.levels[name])
            there = ", ".join(factors.levels[name])
            raise UserError(f"--baseline {name}={level}: there is no such level.{near} There are: {there}")
    return baselines


def rows_and_columns(wanted: Wanted, factors: Factors) -> tuple[list[str], list[str]]:
    """Every factor in one of them: the network in the rows, the last that was found in the columns."""
    for option, names in (("--rows", wanted.rows), ("--columns", wanted.columns)):
        for name in names:
            _require_factor(option, name, factors)
    if both := set(wanted.rows) & set(wanted.columns):
        raise UserError(f"--columns {min(both)}: it is in --rows, too")
    names = list(factors.levels)
    free = [name for name in names if name not in (*wanted.rows, *wanted.columns)]
    columns = list(wanted.columns)
    if not columns and len(free) > (0 if wanted.rows else 1):
        narrow = [name for name in free if name != "model" and not factors.is_drawn(name)]
        columns = narrow[:1] if narrow else []
    rows = [*wanted.rows, *(name for name in free if name not in columns)]
    return sorted(rows, key=lambda name: (name not in wanted.rows, name != "model")), columns


def _require_factor(option: str, name: str, factors: Factors) -> None:
    if name not in factors.levels:
        near = did_you_mean(name, list(factors.levels))
        there = ", ".join(factors.levels) or "none: all cells have one configuration"
        raise UserError(f"{option} {name}: there is no such factor in this study.{near} There are: {there}")
