"""The state of one cell, told by the files that it leaves, whatever someone has made of them."""

import json
import re
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from cnnlab.launch.board import last_line, last_row
from cnnlab.run import held

# older: not in study.json; missing: in study.json, and not begun
State = Literal["done", "older", "missing", "interrupted", "killed", "unreadable", "diverged", "failed", "running"]
STATES: tuple[State, ...] = get_args(State)
LARGEST = sys.float_info.max
WRITTEN = ("done", "running", "failed", "interrupted", "diverged")  # into status.json
Numbers = dict[str, float | None]


@dataclass(frozen=True)
class Cell:
    """A cell as its status.json tells of it."""

    folder: Path
    varies: str  # what it has that others have not
    state: State
    status: dict[str, Any] = field(default_factory=dict)
    why: str = ""  # it is not done

    @property
    def seconds(self) -> float | None:
        """That its latest attempt took, or takes until now."""
        if self.state == "running":
            return max(0.0, time.time() - float(self.status["started"]))
        return number(self.status.get("seconds"))

    @property
    def elsewhere(self) -> str:
        """The host of what runs on another one, where nobody can see whether it still does."""
        host = str(self.status.get("host"))
        return host if self.state == "running" and host != socket.gethostname() else ""

    def scores(self) -> Numbers:
        """Validation and test accuracy of what is done, as far as result.json can be read."""
        try:
            metrics = _json(self.folder / "result.json")["metrics"]
            return {key: number(metrics.get(key)) for key in ("val/accuracy", "test/accuracy")}
        except (FileNotFoundError, ValueError, TypeError, LookupError, AttributeError):
            return {"val/accuracy": None, "test/accuracy": None}

    def progress(self) -> Numbers:
        """Epochs done, of how many, and the latest validation accuracy."""
        try:
            row = last_row(self.folder / "metrics.csv")
            config = (self.folder / ".hydra" / "config.yaml").read_text(encoding="utf-8")
            found = re.search(r"^trainer:\n(?:  .*\n)*?  max_epochs: (\d+)$", config, re.MULTILINE)
            return {
                "epoch": float(row["epoch"]) + 1 if row.get("epoch") else 0,
                "epochs": float(found[1]) if found else None,
                "val/accuracy": float(row["val/accuracy"]) if row.get("val/accuracy") else None,
            }
        except (OSError, ValueError, TypeError, OverflowError):  # it began this moment, or someone has edited it
            return {"epoch": None, "epochs": None, "val/accuracy": None}


def read_cell(folder: Path, there: bool, varies: str, in_record: bool) -> Cell:
    """A cell in its state, whatever someone has made of its files."""
    if not there:
        return Cell(folder, varies, "missing")
    try:
        status = _json(folder / "status.json")
    except FileNotFoundError:
        return Cell(folder, varies, "missing")
    except ValueError as error:
        return Cell(folder, varies, "unreadable", {}, f"status.json: {error}")
    if reason := what_is_odd(status):
        return Cell(folder, varies, "unreadable", {}, f"status.json: {reason}")
    state: State = status["state"]
    why = str(last_line(status))
    if state == "running" and status["host"] == socket.gethostname() and not held(status):
        state, why = "killed", "its process is gone"
    if state == "done" and not (folder / "result.json").exists():
        state, why = "missing", "its result.json is gone"
    if not in_record and state != "running":
        state, why = "older", " ".join(word for word in (state, why) if word)
    return Cell(folder, varies, state, status, why)


def what_is_odd(status: Any) -> str:
    """Why this cannot be a status; empty if it can."""
    if not isinstance(status, dict):
        return "it holds no JSON object"
    if status.get("state") not in WRITTEN:
        return f"state={status.get('state')!r} is none of {', '.join(WRITTEN)}"
    if status["state"] != "running":
        return ""
    right = {
        "host": isinstance(status.get("host"), str),
        "pid": isinstance(status.get("pid"), int) and status["pid"] > 0,
        "pid_since": number(status.get("pid_since", 0)) is not None,
        "started": number(status.get("started")) is not None,
    }
    return next((f"{key}={status.get(key)!r} cannot be" for key in right if not right[key]), "")


def number(value: Any) -> float | None:
    """A finite number; None if it is anything else."""
    if not isinstance(value, int | float) or isinstance(value, bool) or abs(value) > LARGEST:
        return None
    return float(value) if value == value else None  # not a number is not itself


def _json(file: Path) -> Any:
    """What it holds.

    Raises:
        FileNotFoundError: it is not there.
        ValueError: it cannot be read.
    """
    try:
        return json.loads(file.read_bytes())
    except FileNotFoundError:
        raise
    except (OSError, RecursionError) as error:
        raise ValueError(str(error)) from error
