"""The processes of one DDP run, from torch's elastic agent.

Lightning's own launcher runs the command line again in each process, which in a sweep is the whole sweep.
"""

import logging
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from cnnlab.errors import Diverged, UserError

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def fit_on_ranks(config: dict[str, Any], folder: Path, start_method: str) -> None:
    """Trains in `trainer.devices` processes on this machine; one that fails ends them all.

    Raises:
        UserError: several nodes are asked for, which torchrun must start; or what a process says the user can mend.
        RuntimeError: a process failed; the message is its own error.
    """
    from torch.distributed.elastic.multiprocessing import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    trainer = config["trainer"]
    if trainer["num_nodes"] > 1:
        raise UserError(
            f"trainer.num_nodes={trainer['num_nodes']}: start one process group per node with torchrun, "
            "as the README's chapter on clusters shows"
        )
    agent = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=trainer["devices"],
        run_id=folder.name,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
        monitor_interval=0.5,  # seconds between looks at the processes
        start_method=start_method,
    )
    handlers = {number: signal.getsignal(number) for number in STOPS}
    try:
        elastic_launch(agent, fit_rank)(config, str(folder))
    except SignalException as stop:
        raise SystemExit(128 + stop.sigval) from stop
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        said: Any = failure.message  # torch says str, and gives a dictionary if the process could tell
        text = said["message"] if isinstance(said, dict) else str(said)
        kind, _, message = text.partition(": ")
        known = {"UserError": UserError, "Diverged": Diverged}.get(kind)
        raise (known(message) if known else RuntimeError(f"rank {rank}: {text}")) from error
    finally:  # torch leaves its own behind, which would end no later cell
        for number, handler in handlers.items():
            signal.signal(number, handler)


def stopped(number: int, _: FrameType | None) -> NoReturn:
    """Ends a rank, closing what it has open."""
    raise SystemExit(128 + number)


def log_to(folder: Path) -> None:
    """Sends this process' messages where conf/hydra/job_logging/cnnlab.yaml sends the others'."""
    console, file = logging.StreamHandler(sys.stdout), logging.FileHandler(folder / "train.log", encoding="utf-8")
    console.setFormatter(logging.Formatter("%(message)s"))
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[console, file])


def fit_rank(config: dict[str, Any], folder: str) -> None:
    """What each process runs."""
    import torch
    from torch.distributed.elastic.multiprocessing.errors import record

    from cnnlab.train import fit

    signal.signal(signal.SIGTERM, stopped)
    os.setpgrp()  # a signal to the whole group reaches the agent alone, which then ends the ranks, once
    if os.environ["RANK"] == "0":
        log_to(Path(folder))
    share = max(1, (os.cpu_count() or 1) // config["trainer"]["devices"])
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", share)))  # a forked process has read it before
    record(fit)(config, folder)
