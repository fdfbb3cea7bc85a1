"""Some work on N processes that know each other, through torch's elastic agent; it ends them all if one fails."""

import os
import signal
from collections.abc import Callable
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, record
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from cnnlab.errors import UserError
from cnnlab.launch.ranks import STOPS

Result = TypeVar("Result")


def on_ranks(count: int, work: Callable[..., Result], *arguments: Any) -> Result:
    """What the work gives on rank 0. Ranks are forked, so that nothing may have been computed here before.

    Raises:
        UserError: what a rank says the user can mend.
        RuntimeError: a rank failed; the message is its own error.
    """
    handlers = {number: signal.getsignal(number) for number in STOPS}
    with TemporaryDirectory(prefix="cnnlab-ranks-") as logs:
        agent = LaunchConfig(
            min_nodes=1,
            max_nodes=1,
            nproc_per_node=count,
            run_id="bench",
            rdzv_backend="c10d",
            rdzv_endpoint="localhost:0",
            max_restarts=0,
            monitor_interval=0.1,  # seconds between looks at the processes
            start_method="fork",
            logs_specs=DefaultLogsSpecs(log_dir=logs),
        )
        try:
            results: dict[int, Result] = elastic_launch(agent, run_rank)(work, *arguments)
        except SignalException as stop:
            raise SystemExit(128 + stop.sigval) from stop
        except ChildFailedError as error:
            rank, failure = error.get_first_failure()
            said: Any = failure.message  # torch says str, and gives a dictionary if the process could tell
            text = said["message"] if isinstance(said, dict) else str(said)
            kind, _, message = text.partition(": ")
            raise (UserError(message) if kind == "UserError" else RuntimeError(f"rank {rank}: {text}")) from error
        finally:  # torch leaves its own behind
            for number, handler in handlers.items():
                signal.signal(number, handler)
    return results[0]


def run_rank(work: Callable[..., Result], *arguments: Any) -> Result:
    """What each process runs."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # at once, even where it waits for the others outside of Python
    os.setpgrp()  # a signal to the whole group reaches the agent alone, which then ends the ranks, once
    return record(work)(*arguments)  # type: ignore[return-value]  # it gives what the work gives
