"""status.json and result.json, which anybody may have edited, read as what they are meant to be."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import NoneType
from typing import Any

from cnnlab.errors import UserError

Kinds = Mapping[str, tuple[type, ...]]
STATES = ("done", "running", "failed", "interrupted", "diverged")
LARGEST = 2**53  # of numbers; beyond it they are no times and no counts
STATUS: Kinds = {
    "state": (str,),
    "attempt": (int,),
    "exit_code": (int,),
    "host": (str,),
    "pid": (int,),
    "pid_since": (int, float, NoneType),
    "started": (int, float),
    "seconds": (int, float),
    "error": (str,),
    "traceback": (str,),
    "micro_batches": (int,),
    "code": (dict,),
}
RESULT: Kinds = {"metrics": (dict,), "cost": (dict,), "environment": (dict,), "per_class": (dict,), "data": (dict,)}


def read_status(file: Path) -> dict[str, Any]:
    """What it says.

    Raises:
        UserError: it cannot be read, or is not what cnnlab writes there.
    """
    status = _read(file, STATUS)
    if (state := status.get("state", "done")) not in STATES:
        raise _odd(file, "state", state)
    if not 0 < status.get("pid", 1) < 2**31:
        raise _odd(file, "pid", status["pid"])
    return status


def read_result(file: Path) -> dict[str, Any]:
    """What it says.

    Raises:
        UserError: as `read_status`.
    """
    result = _read(file, RESULT)
    for name, value in result.get("metrics", {}).items():
        if isinstance(value, bool) or not isinstance(value, int | float | NoneType):
            raise _odd(file, f"metrics.{name}", value)
    return result


def _read(file: Path, kinds: Kinds) -> dict[str, Any]:
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{file} cannot be read: {error}. Delete it, and the run starts anew.") from error
    if not isinstance(told, dict):
        raise UserError(f"{file} holds no JSON object. Delete it, and the run starts anew.")
    for key, value in told.items():
        if key in kinds and not isinstance(value, kinds[key]):
            raise _odd(file, key, value)
        if isinstance(value, int | float) and not abs(value) < LARGEST:
            raise _odd(file, key, value)
    return told


def _odd(file: Path, key: str, value: object) -> UserError:
    shown = f"{value!r:.60}" if not isinstance(value, int) else f"{value:.3g}"
    return UserError(f"{file}: {key}={shown} is not what cnnlab writes there. Delete it, and the run starts anew.")
