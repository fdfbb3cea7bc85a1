"""The cells of a study as their folders tell them, whatever became of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import log
from pathlib import Path
from typing import Any

from cnnlab.study.config import read_config
from cnnlab.study.state import number, read_cell

HELPS = "role"  # a label of cells that are not compared: runs that are trained first, trials of tune=lr
WITH_A_VALUE = ("done", "diverged")
SAID = 200  # characters of an error


@dataclass(frozen=True)
class ReportedCell:
    """overrides: of this cell alone, key -> value as typed. config: empty before its first attempt."""

    folder: Path
    state: str
    why: str = ""
    overrides: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    cost: dict[str, float] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    classes: list[str] = field(default_factory=list)
    seconds: float | None = None

    @property
    def seed(self) -> int | None:
        told = str(self.config.get("seed", self.overrides.get("seed")))
        return int(told) if told.removeprefix("-").isdigit() else None

    def value(self, metric: str) -> float | None:
        """Of a metric; a diverged cell knows no more than chance: accuracy 1 / K, loss ln K. None: it has none."""
        if self.state != "diverged":
            return self.metrics.get(metric) if self.state == "done" else None
        classes = self.config["datamodule"]["num_classes"]
        if metric.endswith("/accuracy"):
            return 1 / float(classes)
        return log(classes) if metric.endswith("/loss") else None


def read_cells(study: Path, record: dict[str, Any]) -> tuple[list[ReportedCell], list[str]]:
    """All cells that are compared, in study.json's order, and the names of runs that lie there but are not in it.

    Without a study.json all that lie there are compared.
    """
    known = record["cells"]
    there = {path.name for path in study.iterdir() if not path.name.startswith(".")}
    others = [name for name in sorted(there - known.keys()) if (study / name / "status.json").is_file()]
    if not known:
        return [_cell(study / name, True, {}) for name in others], []
    return [
        _cell(study / name, name in there, told) for name, told in known.items() if HELPS not in _labels(told)
    ], others


def read_cell_of(folder: Path) -> ReportedCell:
    """A run by itself, of whatever study."""
    return _cell(folder, True, {})


def _labels(told: dict[str, Any]) -> dict[str, Any]:
    labels: dict[str, Any] = told.get("labels", {})
    return labels


def _cell(folder: Path, there: bool, told: dict[str, Any]) -> ReportedCell:
    cell = read_cell(folder, there, folder.name, in_record=True)
    state, why = str(cell.state), cell.why
    config: dict[str, Any] = {}
    result: dict[str, Any] = {}
    try:
        if there and (folder / ".hydra" / "config.yaml").exists():
            config = read_config(folder / ".hydra" / "config.yaml")
        if state in WITH_A_VALUE:
            (
                config["datamodule"]["num_classes"],
                config["regularizer"],
                config["model"]["name"],
            )  # if nobody has edited it
        if state == "done":
            result = _result(folder / "result.json")
    except (ValueError, LookupError, TypeError) as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())  # YAML's errors have many lines
        state, why, config, result = "unreadable", said[:SAID], {}, {}
    overrides = dict(str(text).lstrip("+~").partition("=")[::2] for text in told.get("overrides", []))
    labels = {key: str(level) for key, level in _labels(told).items()}
    environment = {key: str(value) for key, value in result.get("environment", {}).items() if value is not None}
    metrics, cost = dict(_numbers(result.get("metrics", {}))), dict(_numbers(result.get("cost", {})))
    per_class = result.get("per_class", {})
    classes = [str(name) for name in per_class] if isinstance(per_class, dict) else []
    return ReportedCell(
        folder, state, why, overrides, labels, config, metrics, cost, environment, classes, cell.seconds
    )


def _result(file: Path) -> dict[str, Any]:
    """
    Raises:
        ValueError: it is no result that we would have written.
    """
    try:
        result: Any = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"result.json: {error}") from error
    parts = [result.get(part, {}) if isinstance(result, dict) else None for part in ("metrics", "cost", "environment")]
    if not all(isinstance(part, dict) for part in parts):
        raise ValueError("result.json is not what cnnlab writes")
    kept: dict[str, Any] = result
    return kept


def _numbers(values: dict[str, Any]) -> Iterator[tuple[str, float]]:
    for key, value in values.items():
        if (finite := number(value)) is not None:
            yield key, finite
