"""What loggers of cells have not sent, of which only the cells' own logs tell."""

import os
from collections.abc import Iterator, Sequence

from cnnlab.sweep.cells import Cell

FAILED = "loggers_failed.txt"  # as in loggers/unfailing.py, which imports Lightning


def not_sent(cells: Sequence[Cell]) -> Iterator[str]:
    """A line for those that wait to be sent, and one for each logger that did not work."""
    if waiting := [cell for cell in cells if cell.config["logger"].get("wandb") and _is_waiting(cell)]:
        runs = "1 run is" if len(waiting) == 1 else f"{len(waiting):,} runs are"
        yield f"W&B: {runs} offline. Later: wandb sync {os.path.relpath(waiting[0].study)}/*/wandb/offline-run-*"
    failed: dict[str, list[str]] = {}
    for cell in cells:
        for line in _failures(cell):
            name, _, error = line.partition(": ")
            failed.setdefault(name, []).append(error)
    for name, errors in failed.items():
        of = "1 cell" if len(errors) == 1 else f"{len(errors):,} cells"
        yield f"{name} failed in {of} ({errors[0]}); metrics.csv and result.json have all"


def _is_waiting(cell: Cell) -> bool:
    files = cell.folder.glob("wandb/offline-run-*/*.wandb")
    return any(not file.with_name(f"{file.name}.synced").exists() for file in files)  # `wandb sync` leaves that


def _failures(cell: Cell) -> list[str]:
    file = cell.folder / FAILED
    return file.read_text(encoding="utf-8", errors="replace").splitlines() if file.exists() else []
