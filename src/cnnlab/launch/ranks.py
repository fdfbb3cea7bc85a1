"""The processes of one training."""

import logging
import os
import shutil
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from cnnlab.errors import DiskFull, OutOfGpuMemory, UserError
from cnnlab.launch.agent import on_ranks
from cnnlab.launch.nodes import Nodes
from cnnlab.launch.places import cores, threads_told

log = logging.getLogger(__name__)
LAST_WORDS = ".ranks"  # in the folder of a run, while it is trained


def fit_on_ranks(config: dict[str, Any], folder: Path, nodes: Nodes, start_method: str, resume: bool) -> None:
    """Trains in `trainer.devices` processes on this machine, and on as many nodes; one that fails ends them all.

    `trainer.max_restarts` times they then go on from the last checkpoint, unless it is an error that would come again.

    resume: goes on from it at once.

    Raises:
        UserError: what a process says the user can mend.
        RankFailed: a process failed; the message is its own error.
    """
    trainer = config["trainer"]
    restarts = trainer["max_restarts"]
    for left in range(restarts, -1, -1):
        these = replace(nodes, name=f"{nodes.name}-{left}")  # what a restart meets under is new
        try:
            on_ranks(
                fit_rank,
                *(config, str(folder), resume),
                processes=trainer["devices"],
                nodes=these,
                start_method=start_method,
                words=folder / LAST_WORDS,
            )
        except (UserError, OutOfGpuMemory, DiskFull):  # these would come again
            raise
        except RuntimeError as error:
            if not left:
                raise
            log.warning("%s; restart %s of trainer.max_restarts=%s", error, restarts - left + 1, restarts)
            resume = True
        else:
            shutil.rmtree(folder / LAST_WORDS, ignore_errors=True)
            return


def log_to(folder: Path) -> None:
    """Sends this process' messages where conf/hydra/job_logging/cnnlab.yaml sends the others'."""
    logging.raiseExceptions = False  # a full disk is told by what fails for it, not by each line of the log
    console, file = logging.StreamHandler(sys.stdout), logging.FileHandler(folder / "train.log", encoding="utf-8")
    console.setFormatter(logging.Formatter("%(message)s"))
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[console, file])


def fit_rank(config: dict[str, Any], folder: str, resume: bool) -> None:
    """What each process runs."""
    import torch

    from cnnlab.launch.cell import fit_here

    signal.signal(signal.SIGUSR2, signal.SIG_IGN)  # SLURM warns all processes; the one that started this one acts
    if os.environ["RANK"] == "0":
        log_to(Path(folder))
    share = max(1, cores() // config["trainer"]["devices"])
    torch.set_num_threads(threads_told() or share)  # a forked process has read the environment before
    fit_here(config, Path(folder), resume)
