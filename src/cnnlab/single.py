"""One run from the command line: trained, and shown."""

import os
import shlex
from pathlib import Path
from typing import Any

from rich.console import Console

from cnnlab.cell import resolved
from cnnlab.launch.cell import train_cell
from cnnlab.launch.places import gpus_here, require_gpus
from cnnlab.run import Run


def train_and_show(cfg: Any, folder: Path, overrides: list[str]) -> float | None:
    """Trains a cell and prints its scores, its folder, and what to do next."""
    was_done = Run(folder).done
    config = resolved(cfg)
    require_gpus(config["trainer"], gpus_here(dict(os.environ)))
    result = train_cell(config, folder, overrides)
    if result is None:
        return None
    from cnnlab.summary import result_table  # imports torch

    console = Console(highlight=False, markup=False)
    if was_done:
        console.print("This cell was done before; its result is kept. Delete its folder to train it anew.")
    console.print(result_table(result))
    console.print(f"folder: {os.path.relpath(folder)}", soft_wrap=True)
    kept = [o for o in overrides if not o.startswith(("study=", "regularizer=", "regularizer."))]
    console.print(f"next:   cnnlab train -m {shlex.join([*kept, 'regularizer=none,paper,all'])}", soft_wrap=True)
    accuracy: float = result["metrics"]["val/accuracy"]
    return accuracy
