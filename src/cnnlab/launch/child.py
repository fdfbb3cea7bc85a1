"""What runs in a cell's own process."""

import os
import signal
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import psutil

GRACE = 30.0  # seconds that a cell has to end by itself
CONSOLE = "console.log"  # what a cell of a sweep would have shown
SCRUBBED = ("MASTER_", "TORCHELASTIC_", "PL_", "GROUP_", "ROLE_", "LOCAL_", "SLURM_STEP")
SCRUBBED_WORDS = ("RANK", "WORLD_SIZE", "NODE_RANK", "SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID", "SLURM_NTASKS")


@dataclass(frozen=True)
class Work:
    """A cell as its process needs it: plain values, and where its files go."""

    config: dict[str, Any]
    folder: Path
    overrides: list[str]
    environment: dict[str, str]
    threads: int
    cwd: str
    again: bool = False  # goes on where an attempt of this sweep failed
    pieces: int = 1  # that a batch is computed in at least


def scrubbed(environment: dict[str, str]) -> dict[str, str]:
    """The environment without what would make a process take itself for a rank of another run."""
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith(SCRUBBED) and name not in SCRUBBED_WORDS
    }


def live(work: Work, leash: Connection) -> None:
    """Trains the cell in a session of its own, with its output in its folder; ends when the launcher is gone."""
    os.setsid()
    os.environ.clear()
    os.environ.update(work.environment)
    settle(work)
    threading.Thread(target=follow, args=(leash,), daemon=True).start()
    import torch

    from cnnlab.launch.cell import train_cell
    from cnnlab.launch.ranks import log_to

    torch.set_num_threads(work.threads)
    log_to(work.folder)
    try:
        train_cell(work.config, work.folder, work.overrides, "fork", again=work.again, pieces=work.pieces)
    except Exception as error:
        from cnnlab.explain import explain  # imports Hydra

        words = explain(error)
        if words is None:
            raise
        print(words, file=sys.stderr, flush=True)
        sys.exit(1)
    finally:
        end_session(os.getpid(), but=os.getpid())


def settle(work: Work) -> None:
    """Makes this process the cell's: its folder gets the output, signals end it."""
    os.chdir(work.cwd)
    sys.path.insert(0, work.cwd)
    work.folder.mkdir(parents=True, exist_ok=True)
    console = os.open(work.folder / CONSOLE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for stream in (1, 2):
        os.dup2(console, stream)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stopped)


def follow(leash: Connection) -> None:
    """Waits until the other end is closed, by whatever ended the launcher, and ends this process, too."""
    try:
        leash.recv()
    except (EOFError, OSError):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE)  # a process that waits outside of Python does not see the signal
        end_session(os.getpid(), but=None)
        os.kill(os.getpid(), signal.SIGKILL)


def end_session(session: int, but: int | None) -> None:
    """Ends every process of a session: ranks, workers, whatever they began; until there is none left but that one."""
    while members := [pid for pid in psutil.pids() if pid not in (but, os.getpid()) and in_session(pid, session)]:
        for pid in members:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def in_session(pid: int, session: int) -> bool:
    """Whether it belongs there, and lives."""
    try:
        return os.getsid(pid) == session and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, PermissionError, psutil.Error):  # it ended by itself, or is not ours
        return False


def stopped(number: int, _: FrameType | None) -> NoReturn:
    """Ends the process as an interrupted one."""
    raise SystemExit(128 + number)
