"""Work on several processes that know each other, through torch's elastic agent; it ends them all if one fails.

Lightning's own launcher runs the command line again in each process, which in a sweep is the whole sweep.
"""

import os
import signal
from collections.abc import Callable
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from cnnlab.errors import Diverged, OutOfGpuMemory, UserError
from cnnlab.launch.nodes import Nodes

Result = TypeVar("Result")
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
STOPPED = {code: 128 + number for number in (signal.SIGINT, signal.SIGTERM) for code in (-number, 128 + number)}
# what a process says when another one is gone
BEREAVED = ("Connection closed by peer", "Connection reset by peer", "Broken pipe", "DistBackendError", "NCCL error")


def on_ranks(work: Callable[..., Result], *arguments: Any, processes: int, nodes: Nodes, start_method: str) -> Result:
    """What the work gives on the first rank of this node. Each node has as many processes.

    start_method: 'fork' only where nothing was computed before.

    Raises:
        UserError: what a rank says the user can mend.
        RuntimeError: a rank failed; the message is its own error.
    """
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    handlers = {number: signal.getsignal(number) for number in STOPS}
    with TemporaryDirectory(prefix="cnnlab-ranks-") as logs:
        agent = LaunchConfig(
            min_nodes=nodes.count,
            max_nodes=nodes.count,
            nproc_per_node=processes,
            run_id=nodes.name,
            rdzv_backend="c10d",
            rdzv_endpoint=nodes.meeting,
            rdzv_configs={"is_host": nodes.index == 0} if nodes.count > 1 else {},
            max_restarts=0,  # whoever calls this knows better what went wrong
            monitor_interval=0.2,  # seconds between looks at the processes
            start_method=start_method,
            logs_specs=DefaultLogsSpecs(log_dir=logs),
        )
        try:
            results: dict[int, Result] = elastic_launch(agent, begin_rank)(work, *arguments)
        except SignalException as stop:
            raise SystemExit(128 + stop.sigval) from stop
        except ChildFailedError as error:
            rank, failure = min(error.failures.items(), key=lambda item: (*guilt(item[1]), item[0]))
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
    return results[min(results)]


def begin_rank(work: Callable[..., Result], *arguments: Any) -> Result:
    """What each process runs."""
    from torch.distributed.elastic.multiprocessing.errors import record

    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # at once, even where it waits for the others outside of Python
    os.setpgrp()  # a signal to the whole group reaches the agent alone, which then ends the ranks, once
    return record(work)(*arguments)  # type: ignore[return-value]  # it gives what the work gives


def guilt(failure: Any) -> tuple[bool, int]:
    """Sorts first who failed by itself, then by the time: torch's has whole seconds, in which others follow."""
    follows = failure.exitcode in STOPPED or any(words in str(failure.message) for words in BEREAVED)
    return follows, failure.timestamp
