"""One cell, wherever it was started from: its folder, its status, its processes."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cnnlab.errors import OutOfGpuMemory
from cnnlab.launch.nodes import nodes_of
from cnnlab.launch.ranks import fit_on_ranks
from cnnlab.run import Config, Run


def train_cell(
    config: Config, folder: Path, overrides: Sequence[str], start_method: str = "spawn", again: bool = False
) -> dict[str, Any] | None:
    """Trains a cell that is not done yet and gives its result; None in those processes of several that only help.

    start_method: of the ranks; 'fork' where torch is imported and has not computed anything yet.
    again: goes on from the last checkpoint even if the attempt before failed by itself.
    """
    run = Run(folder)
    if run.done:
        return run.result()
    trainer = config["trainer"]
    if "TORCHELASTIC_RUN_ID" in os.environ:  # torchrun started this process as a rank
        resume = run.half_done or os.environ["TORCHELASTIC_RESTART_COUNT"] != "0"
        if os.environ["RANK"] != "0":  # rank 0 keeps the folder
            fit_here(config, folder, resume)
            return None
        with run.attempt(config, overrides, resume):
            fit_here(config, folder, resume)
        return run.result()
    nodes = nodes_of(trainer["num_nodes"], os.environ)
    resume = again or run.half_done
    if nodes.index:  # the first node keeps the folder
        fit_on_ranks(config, folder, nodes, start_method, resume)
        return None
    with run.attempt(config, overrides, resume):
        if trainer["devices"] * trainer["num_nodes"] == 1 and not trainer["max_restarts"]:
            fit_here(config, folder, resume)
        else:
            if config["model"]["weights"] == "imagenet":
                from cnnlab.weights import fetched  # once, before each process wants them

                fetched(config["model"]["imagenet"][config["regularizer"]["norm"]])
            fit_on_ranks(config, folder, nodes, start_method, resume)
    return run.result()


def fit_here(config: Config, folder: Path, resume: bool) -> None:
    """Trains in this process.

    Raises:
        OutOfGpuMemory: it says what to do about it.
    """
    import torch  # it and Lightning take seconds to import

    from cnnlab.train import fit

    try:
        fit(config, str(folder), resume)
    except torch.OutOfMemoryError as error:
        first, *_ = str(error).splitlines()
        raise OutOfGpuMemory(f"{first} {advice(config)}") from error


def more_pieces(config: Config) -> int | None:
    """The next larger trainer.micro_batches, at least twice as many; None if each image is alone already."""
    trainer = config["trainer"]
    share = config["datamodule"]["batch_size"] // (trainer["devices"] * trainer["num_nodes"])
    several = range(2 * trainer["micro_batches"], share + 1)
    return next((pieces for pieces in several if share % pieces == 0), None)


def in_pieces(config: Config, pieces: int) -> Config:
    """The same cell with less memory: so many pieces of a batch, and half as many images tested at once."""
    data = {**config["datamodule"], "eval_batch_size": max(1, config["datamodule"]["eval_batch_size"] // 2)}
    return {**config, "trainer": {**config["trainer"], "micro_batches": pieces}, "datamodule": data}


def advice(config: Config) -> str:
    """What helps against too little memory."""
    pieces = more_pieces(config)
    smaller = "datamodule.eval_batch_size is what one process tests at once"
    return f"trainer.micro_batches={pieces} computes a batch in pieces; {smaller}" if pieces else smaller
