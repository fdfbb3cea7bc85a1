"""Learning curves of conditions: means over seeds, and the range between the lowest and the highest."""

import csv
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean

from cnnlab.report.cells import ReportedCell
from cnnlab.report.content import Curve
from cnnlab.study.state import number

METRICS = ("train/loss", "val/loss", "train/accuracy", "val/accuracy")
POINTS = 200  # of a curve; longer ones are thinned


def curves(groups: Sequence[Sequence[ReportedCell]]) -> Iterator[Curve]:
    """Of every condition, for each metric that its metrics.csv files have."""
    for condition, cells in enumerate(groups):
        told = [points(cell.folder / "metrics.csv") for cell in cells]
        for metric in METRICS:
            by_epoch: dict[int, list[float]] = defaultdict(list)
            for one in told:
                for epoch, value in one.get(metric, {}).items():
                    by_epoch[epoch].append(value)
            epochs = _thinned(sorted(by_epoch))
            if epochs:
                rows = [by_epoch[epoch] for epoch in epochs]
                yield Curve(
                    condition=condition,
                    metric=metric,
                    epoch=[epoch + 1 for epoch in epochs],
                    mean=[fmean(row) for row in rows],
                    low=[min(row) for row in rows],
                    high=[max(row) for row in rows],
                    n=[len(row) for row in rows],
                )


def points(file: Path) -> dict[str, dict[int, float]]:
    """metric -> epoch -> value; a line that cannot be read, the last of a run that is being written, says nothing."""
    found: dict[str, dict[int, float]] = defaultdict(dict)
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                epoch = row.get("epoch") or ""
                for metric in METRICS if epoch.isdigit() else ():
                    if (value := _finite(row.get(metric))) is not None:
                        found[metric][int(epoch)] = value
    except (OSError, UnicodeDecodeError, csv.Error):
        return {}
    return found


def _finite(text: str | None) -> float | None:
    try:
        return number(float(text)) if text else None
    except ValueError:
        return None


def _thinned(epochs: list[int]) -> list[int]:
    stride = -(-len(epochs) // POINTS)
    return [*epochs[:-1:stride], epochs[-1]] if stride > 1 else epochs
