"""What W&B writes offline."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Logged:
    """A run, as its file tells it."""

    run: Any
    config: dict[str, Any]
    history: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    axes: dict[str, str] = field(default_factory=dict)  # metric -> what it is drawn over
    kinds: set[str] = field(default_factory=set)  # of records
    exit_code: int | None = None


def read(file: Path) -> Logged:
    """The whole file."""
    every = list(records(file))
    run = next(record.run for record in every if record.HasField("run"))
    logged = Logged(run, _values(run.config.update))
    for record in every:
        kind = record.WhichOneof("record_type")
        logged.kinds.add(kind)
        if kind == "history":
            logged.history.append(_values(record.history.item))
        elif kind == "summary":
            logged.summary |= _values(record.summary.update)
        elif kind == "metric":
            logged.axes[record.metric.name or record.metric.glob_name] = record.metric.step_metric
        elif kind == "exit":
            logged.exit_code = record.exit.exit_code
    return logged


def _values(items: Iterable[Any]) -> dict[str, Any]:
    return {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items}


def files(folder: Path) -> list[Path]:
    """Those of the runs below <folder>/runs, by cell and time."""
    return sorted((folder / "runs").glob("*/*/wandb/offline-run-*/*.wandb"))


def records(file: Path) -> Iterator[Any]:
    """W&B's records in an offline run's file: a 7-byte header, then LevelDB's log format."""
    from wandb.proto import wandb_internal_pb2

    raw, at, parts = file.read_bytes(), 7, b""
    while at + 7 <= len(raw):
        left = 32768 - at % 32768
        if left < 7:
            at += left
            continue
        length, kind = int.from_bytes(raw[at + 4 : at + 6], "little"), raw[at + 6]
        parts += raw[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # a whole record, or the last part of one
            yield wandb_internal_pb2.Record.FromString(parts)  # type: ignore[attr-defined]
            parts = b""
