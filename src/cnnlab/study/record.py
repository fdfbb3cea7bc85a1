"""study.json: which cells a study has, what varies from one to another, and by which commands they came about."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cnnlab.errors import UserError

RECORD = "study.json"
KINDS: dict[str, tuple[type, ...]] = {
    "commands": (list,),
    "cells": (dict,),
    "latest": (int, type(None)),
    "jobs": (int, type(None)),
    "ablation": (str, type(None)),
}


def read_record(folder: Path) -> dict[str, Any]:
    """What study.json says; without one there are no commands and no cells in it.

    Raises:
        UserError: it cannot be read, or is not what we write.
    """
    file = folder / RECORD
    empty: dict[str, Any] = {"commands": [], "cells": {}, "latest": None, "jobs": None, "ablation": None}
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
        if not isinstance(record[key], kinds) or (
            key == "jobs" and record[key] is not None and not 1 <= record[key] < 2**31
        ):
            raise UserError(f"{file}: {key} is not what cnnlab writes there, but {record[key]!r}")
    for name, cell in record["cells"].items():
        if not (
            isinstance(cell, dict)
            and isinstance(cell.get("overrides", []), list)
            and all(isinstance(override, str) for override in cell.get("overrides", []))
            and isinstance(cell.get("labels", {}), dict)
            and isinstance(cell.get("kind", ""), str)
            and isinstance(cell.get("command", 0), int | None)
            and name not in ("", ".", "..")
            and not set(name) & set("/\\\0")  # nothing outside the study is read, or written
        ):
            raise UserError(f"{file}: cells.{name} is not what cnnlab writes there, but {cell!r}")
    return record


def add_to_record(
    study: Path,
    command: Sequence[str],
    cells: Mapping[str, Mapping[str, Any]],
    jobs: int | None,
    ablation: str | None,
    whole: bool = False,
) -> None:
    """Notes a command and its cells, name -> overrides, labels; what other commands have noted stays.

    `latest` is the number of this command; each cell has that of the latest command that asked for it. whole: these
    are all that it compares; others that it once asked for have got other names since, and are taken out.
    """
    from filelock import FileLock

    from cnnlab.atomic import write_json

    study.mkdir(parents=True, exist_ok=True)
    with FileLock(study / f".{RECORD}.lock"):
        record = read_record(study)
        commands = [*record["commands"], *([list(command)] if list(command) not in record["commands"] else [])]
        latest = commands.index(list(command))
        kept = {
            name: cell
            for name, cell in record["cells"].items()
            if not whole or cell.get("command") != latest or "role" in cell.get("labels", {})
        }
        known = {**kept, **{name: {**cell, "command": latest} for name, cell in cells.items()}}
        more = {"latest": latest, "jobs": jobs, "ablation": ablation}
        write_json(study / RECORD, {"commands": commands, "cells": known, **more})
