"""study.json: which cells a study has, and by which commands."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock

from cnnlab.atomic import write_json
from cnnlab.errors import UserError

RECORD = "study.json"
EMPTY: dict[str, Any] = {"commands": [], "cells": {}, "jobs": None, "ablation": None}


def read_record(study: Path) -> dict[str, Any]:
    """What study.json says; nothing in it before the first sweep.

    Raises:
        UserError: it is there, and is not what a sweep writes.
    """
    file = study / RECORD
    try:
        record: dict[str, Any] = EMPTY | json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return dict(EMPTY)
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"{file} cannot be read: {error}. Delete it; the same sweep again writes it anew") from error
    if not isinstance(record["cells"], dict) or not isinstance(record["commands"], list):
        raise UserError(f"{file} is not what a sweep writes. Delete it; the same sweep again writes it anew")
    return record


def add_to_record(
    study: Path, command: Sequence[str], cells: Mapping[str, Mapping[str, Any]], jobs: int | None, ablation: str | None
) -> None:
    """Notes a command and its cells: name -> overrides, labels; what other commands have noted stays."""
    study.mkdir(parents=True, exist_ok=True)
    with FileLock(study / f".{RECORD}.lock"):
        record = read_record(study)
        commands = [*record["commands"], *([list(command)] if list(command) not in record["commands"] else [])]
        known = {**record["cells"], **cells}
        write_json(study / RECORD, {"commands": commands, "cells": known, "jobs": jobs, "ablation": ablation})
