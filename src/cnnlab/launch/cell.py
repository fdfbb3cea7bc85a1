"""One cell, wherever it was started from: its folder, its status, its processes."""

import logging
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cnnlab.code import code_of, commit, differs, digest_of_cnnlab
from cnnlab.errors import OutOfGpuMemory, WorkerKilled
from cnnlab.launch.code_change import refuse, what_is_done
from cnnlab.launch.memory import advice, in_pieces, is_out_of_memory, pieces_of
from cnnlab.launch.nodes import nodes_of
from cnnlab.launch.ranks import fit_on_ranks
from cnnlab.place_errors import in_words, of_the_place
from cnnlab.run import Config, Run

log = logging.getLogger(__name__)
# what torch says of a worker of its DataLoader
WORKER_KILLED = re.compile(r"DataLoader worker .*(killed by signal|exited unexpectedly)")
MENDS_WORKERS = (
    "The system does so when there is too little memory: fewer datamodule.num_workers need less. "
    "The same command goes on from the last checkpoint"
)
# at once: a server that cells are forked from trains with what it has imported, whatever lies on the disk later
digest_of_cnnlab()
commit()


def train_cell(
    config: Config,
    folder: Path,
    overrides: Sequence[str],
    start_method: str = "spawn",
    again: bool = False,
    in_child: bool = False,
    pieces: int = 1,
) -> dict[str, Any] | None:
    """Trains a cell that is not done yet and gives its result; None in those processes of several that only help.

    start_method: of the ranks; 'fork' where torch is imported and has not computed anything yet.
    again: goes on from the last checkpoint even if the attempt before failed by itself.
    in_child: in a process of its own even if one is enough.
    pieces: that a batch is computed in at least, where memory turned out to be short.

    Raises:
        UserError: it was trained or begun with other code, and on_code_change=error.
    """
    run = Run(folder)
    code = code_of(config)
    restarted = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") != "0"
    resume = again or run.half_done or restarted
    policy = config["on_code_change"] if (run.done or resume) and differs(run.status, code) else "none"
    if policy == "error":
        refuse([folder], code)
    if run.done and policy != "retrain":
        if policy == "warn":
            log.warning(what_is_done(policy, [folder], code))
        return run.result()
    if policy == "retrain":
        log.warning(what_is_done(policy, [folder], code))
        resume = False
    trainer = config["trainer"]
    if resume:  # what did not fit before does not fit now
        pieces = max(pieces, run.status.get("micro_batches", 1))
    smaller = in_pieces(config, pieces)
    if "TORCHELASTIC_RUN_ID" in os.environ:  # torchrun started this process as a rank
        if os.environ["RANK"] != "0":  # rank 0 keeps the folder
            fit_here(smaller, folder, resume)
            return None
        with run.attempt(config, overrides, resume, pieces_of(smaller), code):
            fit_here(smaller, folder, resume)
        return run.result()
    nodes = nodes_of(trainer["num_nodes"], os.environ)
    if nodes.index:  # the first node keeps the folder
        fit_on_ranks(smaller, folder, nodes, start_method, resume)
        return None
    with run.attempt(config, overrides, resume, pieces_of(smaller), code):
        if trainer["devices"] * trainer["num_nodes"] == 1 and not trainer["max_restarts"] and not in_child:
            fit_here(smaller, folder, resume)
        else:
            if config["model"]["weights"] == "imagenet":
                from cnnlab.weights import fetched  # once, before each process wants them

                fetched(config["model"]["imagenet"][config["regularizer"]["norm"]])
            fit_on_ranks(smaller, folder, nodes, start_method, resume)
    return run.result()


def fit_here(config: Config, folder: Path, resume: bool) -> None:
    """Trains in this process.

    Raises:
        OutOfGpuMemory, WorkerKilled, DiskFull, UserError: it says what to do about it.
    """
    from cnnlab.train import fit  # torch and Lightning take seconds to import

    try:
        fit(config, str(folder), resume)
    except RuntimeError as error:
        first, *_ = str(error).splitlines() or [""]
        if is_out_of_memory(error):
            raise OutOfGpuMemory(f"{first} {advice(config)}") from error
        if WORKER_KILLED.search(first):
            raise WorkerKilled(f"{first.strip()} {MENDS_WORKERS}") from error
        raise
    except OSError as error:
        if of_the_place(error):
            raise in_words(error) from error
        raise
