"""What cells have written for W&B and nobody has sent yet, of which only their own logs tell."""

import os
from collections.abc import Sequence

from cnnlab.sweep.cells import Cell


def how_to_sync(cells: Sequence[Cell]) -> str:
    """A line, or nothing."""
    waiting = [cell for cell in cells if cell.config["logger"].get("wandb") and _is_waiting(cell)]
    if not waiting:
        return ""
    runs = "1 run is" if len(waiting) == 1 else f"{len(waiting):,} runs are"
    return f"W&B: {runs} offline. Later: wandb sync {os.path.relpath(waiting[0].study)}/*/wandb/offline-run-*"


def _is_waiting(cell: Cell) -> bool:
    files = cell.folder.glob("wandb/offline-run-*/*.wandb")
    return any(not file.with_name(f"{file.name}.synced").exists() for file in files)  # `wandb sync` leaves that
