"""Work on several processes that know each other, through torch's elastic agent; it ends them all if one fails.

Lightning's own launcher runs the command line again in each process, which in a sweep is the whole sweep.
"""

import logging
import multiprocessing
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from cnnlab.errors import DiskFull, OutOfGpuMemory, UserError, WorkerKilled
from cnnlab.launch.last_words import bereaved, leave, said_by
from cnnlab.launch.nodes import Nodes

Result = TypeVar("Result")
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
STOPPED = {code: 128 + number for number in (signal.SIGINT, signal.SIGTERM) for code in (-number, 128 + number)}


def on_ranks(
    work: Callable[..., Result], *arguments: Any, processes: int, nodes: Nodes, start_method: str, words: Path
) -> Result:
    """What the work gives on the first rank of this node. Each node has as many processes.

    start_method: 'fork' only where nothing was computed before.
    words: a folder that all nodes see, for what ranks that fail have to say.

    Raises:
        UserError: what a rank says the user can mend.
        RankFailed: a rank failed; the message is its own error.
    """
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.elastic.rendezvous import RendezvousError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    for name in ("torch.distributed.elastic", "torch.multiprocessing"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what they have to say is said below
    handlers = {number: signal.getsignal(number) for number in STOPS}
    ours = words / nodes.name
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
            shutdown_timeout=25,  # seconds that they have to end: less than a launcher gives this process
            signals_to_handle=",".join(stop.name for stop in STOPS if handlers[stop] is not signal.SIG_IGN),  # nohup's
            start_method=start_method,
            logs_specs=DefaultLogsSpecs(log_dir=logs),
        )
        try:
            results: dict[int, Result] = elastic_launch(agent, begin_rank)(work, ours, *arguments)
        except SignalException as stop:
            raise SystemExit(128 + stop.sigval) from stop
        except RendezvousError as error:
            raise RuntimeError(f"the {nodes.count} nodes did not find each other: {error}") from error
        except ChildFailedError as error:
            rank, failure = error.get_first_failure()
            told = said_by(ours, processes * nodes.count, {rank: failure.exitcode})
            if told is None and failure.exitcode in STOPPED:  # a signal went to all, and this one was faster
                raise SystemExit(STOPPED[failure.exitcode]) from None
            raise told or RuntimeError(f"rank {rank}: it ended with exit code {failure.exitcode}") from None
        finally:  # torch leaves its own behind, which would end no later cell
            for number, handler in handlers.items():
                signal.signal(number, handler)
    return results[min(results)]


def begin_rank(work: Callable[..., Result], words: Path, *arguments: Any) -> Result:
    """What each process runs."""
    if sys.platform == "linux":  # a spawned process would spawn its data workers, too, which takes them seconds
        multiprocessing.set_start_method("fork", force=True)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # at once, even where it waits for the others outside of Python
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # torch has the system send it when the agent is gone
    os.setpgrp()  # a signal to the whole group reaches the agent alone, which then ends the ranks, once
    try:
        return work(*arguments)
    except Exception as error:
        leave(words, int(os.environ["RANK"]), error)
        told = isinstance(error, (UserError, OutOfGpuMemory, WorkerKilled, DiskFull))
        if not told and not bereaved(type(error).__name__, str(error)):
            traceback.print_exc()
        sys.exit(1)  # torch would write the error to a file of its own, and leave that behind
