"""The commands by which a study, and each of its cells alone, come about again."""

import shlex
from collections.abc import Sequence
from typing import Any

from cnnlab.report.cells import ReportedCell

NOT_OF_A_CELL = ("hydra/", "hydra.", "ablation.", "tune", "study", "pruning")


def study_commands(record: dict[str, Any]) -> list[str]:
    """In the order in which they were given."""
    return [f"cnnlab train -m {_line(words)}" for words in record["commands"] if words]


def cell_command(cell: ReportedCell, record: dict[str, Any]) -> str:
    """Trains this cell alone, in a study of its own. What a design has names for is taken out and said by its keys."""
    told = record["cells"].get(cell.folder.name, {})
    number = told.get("command")
    commands = record["commands"]
    words = commands[number] if isinstance(number, int) and 0 <= number < len(commands) else []
    own = [f"{key}={value}" for key, value in cell.overrides.items()]
    kept = [str(word) for word in words if not _is_about_others(str(word), cell.overrides)]
    if not any(word.startswith("ablation=") for word in kept):
        return f"cnnlab train {_line([*kept, *own])}".strip()
    pieces = [f"~ablation.{piece}" for piece in (*cell.labels, *(("search",) if told.get("search") else ()))]
    return f"cnnlab train -m {_line([*kept, *pieces, *own])}"


def _is_about_others(word: str, own: dict[str, str]) -> bool:
    key = word.lstrip("+~").partition("=")[0]
    return key in own or key.startswith(NOT_OF_A_CELL) or word.startswith("-")


def _line(words: Sequence[Any]) -> str:
    return shlex.join(str(word) for word in words)
