"""The processes of one run, from torch's elastic agent.

Lightning's own launcher runs the command line again in each process, which in a sweep is the whole sweep.
"""

import logging
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from cnnlab.errors import Diverged, OutOfGpuMemory, UserError
from cnnlab.launch.nodes import Nodes

log = logging.getLogger(__name__)
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
STOPPED = {code: 128 + number for number in (signal.SIGINT, signal.SIGTERM) for code in (-number, 128 + number)}


def fit_on_ranks(config: dict[str, Any], folder: Path, nodes: Nodes, start_method: str, resume: bool) -> None:
    """Trains in `trainer.devices` processes on this machine, and on as many nodes; one that fails ends them all.

    `trainer.max_restarts` times they then go on from the last checkpoint, unless it is an error that would come again.

    resume: goes on from it at once.

    Raises:
        UserError: what a process says the user can mend.
        RuntimeError: a process failed; the message is its own error.
    """
    restarts = config["trainer"]["max_restarts"]
    for left in range(restarts, -1, -1):
        try:
            _fit_once(config, folder, replace(nodes, name=f"{nodes.name}-{left}"), start_method, resume)
        except (UserError, OutOfGpuMemory):
            raise
        except RuntimeError as error:
            if not left:
                raise
            log.warning("%s; restart %s of trainer.max_restarts=%s", error, restarts - left + 1, restarts)
            resume = True
        else:
            return


def _fit_once(config: dict[str, Any], folder: Path, nodes: Nodes, start_method: str, resume: bool) -> None:
    from torch.distributed.elastic.multiprocessing import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    agent = LaunchConfig(
        min_nodes=nodes.count,
        max_nodes=nodes.count,
        nproc_per_node=config["trainer"]["devices"],
        run_id=f"{folder.name}-{nodes.name}",
        rdzv_backend="c10d",
        rdzv_endpoint=nodes.meeting,
        rdzv_configs={"is_host": nodes.index == 0} if nodes.count > 1 else {},
        max_restarts=0,  # restarts are decided above, where it is known what went wrong
        monitor_interval=0.5,  # seconds between looks at the processes
        start_method=start_method,
    )
    handlers = {number: signal.getsignal(number) for number in STOPS}
    try:
        elastic_launch(agent, fit_rank)(config, str(folder), resume)
    except SignalException as stop:
        raise SystemExit(128 + stop.sigval) from stop
    except ChildFailedError as error:
        rank, failure = min(error.failures.items(), key=lambda item: (*_guilt(item[1]), item[0]))
        if failure.exitcode in STOPPED:  # a signal went to all processes, and this one was faster
            raise SystemExit(STOPPED[failure.exitcode]) from error
        said: Any = failure.message  # torch says str, and gives a dictionary if the process could tell
        text = said["message"] if isinstance(said, dict) else str(said)
        kind, _, message = text.partition(": ")
        known = {"UserError": UserError, "Diverged": Diverged, "OutOfGpuMemory": OutOfGpuMemory}.get(kind)
        raise (known(message) if known else RuntimeError(f"rank {rank}: {text}")) from error
    finally:  # torch leaves its own behind, which would end no later cell
        for number, handler in handlers.items():
            signal.signal(number, handler)


# what a process says when another one is gone
BEREAVED = ("Connection closed by peer", "Connection reset by peer", "Broken pipe", "DistBackendError", "NCCL error")


def _guilt(failure: Any) -> tuple[bool, int]:
    """Sorts first who failed by itself, then by the time: torch's has whole seconds, in which others follow."""
    follows = failure.exitcode in STOPPED or any(words in str(failure.message) for words in BEREAVED)
    return follows, failure.timestamp


def stopped(number: int, _: FrameType | None) -> NoReturn:
    """Ends a rank, closing what it has open."""
    raise SystemExit(128 + number)


def log_to(folder: Path) -> None:
    """Sends this process' messages where conf/hydra/job_logging/cnnlab.yaml sends the others'."""
    console, file = logging.StreamHandler(sys.stdout), logging.FileHandler(folder / "train.log", encoding="utf-8")
    console.setFormatter(logging.Formatter("%(message)s"))
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[console, file])


def fit_rank(config: dict[str, Any], folder: str, resume: bool) -> None:
    """What each process runs."""
    import torch
    from torch.distributed.elastic.multiprocessing.errors import record

    from cnnlab.launch.cell import fit_here

    signal.signal(signal.SIGTERM, stopped)
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)  # SLURM warns all processes; the one that started this one acts
    os.setpgrp()  # a signal to the whole group reaches the agent alone, which then ends the ranks, once
    if os.environ["RANK"] == "0":
        log_to(Path(folder))
    share = max(1, (os.cpu_count() or 1) // config["trainer"]["devices"])
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", share)))  # a forked process has read it before
    record(fit_here)(config, Path(folder), resume)
