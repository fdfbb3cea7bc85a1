"""study.json: which cells a study has, and what varies from one to another."""

import json
from pathlib import Path
from typing import Any

from cnnlab.errors import UserError

RECORD = "study.json"
KINDS: dict[str, tuple[type, ...]] = {
    "commands": (list,),
    "cells": (dict,),
    "jobs": (int, type(None)),
    "ablation": (str, type(None)),
}


def read_record(folder: Path) -> dict[str, Any]:
    """What study.json says; without one there are no commands and no cells in it.

    Raises:
        UserError: it cannot be read, or is not what we write.
    """
    file = folder / RECORD
    empty: dict[str, Any] = {"commands": [], "cells": {}, "jobs": None, "ablation": None}
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return empty
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{file} cannot be read: {error}") from error
    if not isinstance(told, dict):
        raise UserError(f"{file} holds no JSON object")
    record = {**empty, **told}
    for key, kinds in KINDS.items():
        if not isinstance(record[key], kinds) or (key == "jobs" and record[key] is not None and record[key] < 1):
            raise UserError(f"{file}: {key} is not what cnnlab writes there, but {record[key]!r}")
    for name, cell in record["cells"].items():
        if not (
            isinstance(cell, dict)
            and isinstance(cell.get("overrides", []), list)
            and isinstance(cell.get("labels", {}), dict)
        ):
            raise UserError(f"{file}: cells.{name} is not what cnnlab writes there, but {cell!r}")
    return record
