"""One cell, wherever it was started from: its folder, its status, its processes."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cnnlab.launch.ranks import fit_on_ranks
from cnnlab.run import Config, Run


def train_cell(
    config: Config, folder: Path, overrides: Sequence[str], start_method: str = "spawn"
) -> dict[str, Any] | None:
    """Trains a cell that is not done yet and gives its result; None in those processes of torchrun's that only help.

    start_method: of the ranks; 'fork' where torch is imported and has not computed anything yet.
    """
    run = Run(folder)
    if run.done:
        return run.result()
    if os.environ.get("RANK", "0") != "0":  # rank 0 keeps the folder
        fit_here(config, folder)
        return None
    with run.attempt(config, overrides):
        trainer = config["trainer"]
        if trainer["devices"] * trainer["num_nodes"] > 1 and "TORCHELASTIC_RUN_ID" not in os.environ:
            if config["model"]["weights"] == "imagenet":
                from cnnlab.weights import fetched  # once, before each process wants them

                fetched(config["model"]["imagenet"][config["regularizer"]["norm"]])
            fit_on_ranks(config, folder, start_method)
        else:
            fit_here(config, folder)
    return run.result()


def fit_here(config: Config, folder: Path) -> None:
    """Trains in this process."""
    from cnnlab.train import fit  # torch and Lightning take seconds to import

    fit(config, str(folder))
