"""The cells of a study as their folders tell them, and which of them a selector means."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from cnnlab.errors import UserError, did_you_mean
from cnnlab.run import Run
from cnnlab.study.config import read_config
from cnnlab.study.record import RECORD, read_record

Selector = Mapping[str, Any]
LABELS = ("one_at_a_time", "leave_out", "add")
ABSENT = object()  # unlike null, which is a value


@dataclass(frozen=True)
class CellResult:
    """One cell. overrides: of this cell alone, by key; config: empty before its first attempt.

    metrics: result.json's, and its cost as cost/parameters and so on.
    """

    name: str
    folder: Path
    state: str
    overrides: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    environment: dict[str, Any] = field(default_factory=dict)

    @property
    def usable(self) -> bool:
        """Whether it says something: it is done, or diverged, which is a result, too."""
        return self.state in ("done", "diverged")

    @property
    def seed(self) -> int:
        return int(self.config["seed"])

    def value(self, metric: str) -> float:
        """Of a metric; a diverged cell knows no more than chance: accuracy 1 / K, loss ln K.

        Raises:
            UserError: there is no such metric.
        """
        if self.state == "diverged":
            classes = self.config["datamodule"]["num_classes"]
            if metric.endswith("/accuracy"):
                return 1 / float(classes)
            if metric.endswith("/loss"):
                return log(classes)
            raise UserError(f"{self.name} diverged, so that it has no {metric}; compare accuracy or loss")
        if metric not in self.metrics:
            known = sorted(self.metrics)
            near = did_you_mean(metric, known)
            raise UserError(f"{self.name} has no metric {metric}.{near} It has: {', '.join(known)}")
        return self.metrics[metric]

    def at(self, key: str) -> Any:
        """What it has for a selector's key: a label, a value of its configuration, or a group's choice."""
        if key in LABELS:
            return self.labels.get(key, ABSENT)
        node: Any = self.config
        for part in key.split("."):
            node = node[part] if isinstance(node, dict) and part in node else ABSENT
        return self.overrides.get(key, ABSENT) if node is ABSENT or isinstance(node, dict) else node


def read_cells(study: Path) -> tuple[int, list[CellResult]]:
    """How many cells ran at once, and the cells that the latest command compares, whatever became of them.

    Others of its cells only help: runs that are trained first, trials of tune=lr.
    """
    record = read_record(study)
    latest = record["latest"]
    if not record["cells"]:
        raise UserError(
            f"{study / RECORD} has no cells: no study has begun there (cnnlab train -m study={study.name} ...)"
        )
    return record["jobs"] or 1, [
        _cell(study / name, entry)
        for name, entry in record["cells"].items()
        if "role" not in entry.get("labels", {}) and entry.get("command", latest) == latest
    ]


def _cell(folder: Path, entry: dict[str, Any]) -> CellResult:
    run = Run(folder)
    status = run.status
    state = status.get("state", "not begun")
    result: dict[str, Any] = {}
    if state == "done":
        if run.result_file.exists():
            result = run.result()
        else:
            state = "done, but without result.json"
    config = _config(run.config_file) if run.config_file.exists() else {}
    costs = {f"cost/{name}": value for name, value in result.get("cost", {}).items()}
    return CellResult(
        folder.name,
        folder,
        state,
        dict(parsed(text) for text in entry.get("overrides", [])),
        entry.get("labels", {}),
        config,
        {**result.get("metrics", {}), **costs},
        status.get("seconds", 0.0),
        result.get("environment", {}),
    )


def _config(file: Path) -> dict[str, Any]:
    """With what is asked of every one.

    Raises:
        UserError: it cannot be read, or lacks that.
    """
    try:
        config = read_config(file)
    except ValueError as error:
        raise UserError(f"{error}. Delete the cell's folder, and it is trained anew") from error
    data = config.get("datamodule")
    if not isinstance(config.get("seed"), int) or not isinstance(data, dict) or not data.get("num_classes"):
        raise UserError(f"{file} has no seed, or no datamodule.num_classes. Delete the cell's folder, to train it anew")
    return config


def parsed(text: str) -> tuple[str, Any]:
    """('regularizer', ['none', 'dropout']) of 'regularizer=[none,dropout]'."""
    key, _, value = text.partition("=")
    return key.lstrip("+~"), OmegaConf.to_container(OmegaConf.from_dotlist([f"value={value}"]))["value"]  # type: ignore[index,call-overload]


def select(cells: Iterable[CellResult], selector: Selector) -> list[CellResult]:
    """The cells that have all that a selector asks for; {} means all. Those that never began have nothing yet.

    Raises:
        UserError: there is none.
    """
    cells = list(cells)
    begun = [cell for cell in cells if cell.config]
    chosen = [cell for cell in begun if all(same(cell.at(key), value) for key, value in selector.items())]
    if not chosen and len(begun) == len(cells):
        raise UserError(_nothing(begun, selector))
    return chosen


def same(value: Any, wanted: Any) -> bool:
    """Whether they are equal, lists by their items; true is not 1."""
    if isinstance(value, list) and isinstance(wanted, Sequence) and not isinstance(wanted, str):
        return len(value) == len(wanted) and all(same(a, b) for a, b in zip(value, wanted, strict=True))
    return isinstance(value, bool) == isinstance(wanted, bool) and bool(value == wanted)


def _nothing(cells: list[CellResult], selector: Selector) -> str:
    for key, wanted in selector.items():
        there = sorted({str(cell.at(key)) for cell in cells if cell.at(key) is not ABSENT})
        if not there:
            return f"{key}: no cell of this study has such a key or label"
        if not any(same(cell.at(key), wanted) for cell in cells):
            return f"{key}: {wanted} matches no cell.{did_you_mean(str(wanted), there)} There is: {', '.join(there)}"
    return f"{dict(selector)} matches no cell: each of these is there, but never all together"
