"""What runs in a cell's own process."""

import os
import signal
import sys
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

CONSOLE = "console.log"  # what a cell of a sweep would have shown
SCRUBBED = ("MASTER_", "TORCHELASTIC_", "PL_", "GROUP_", "ROLE_", "LOCAL_")
SCRUBBED_WORDS = ("RANK", "WORLD_SIZE", "NODE_RANK")


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
    os.chdir(work.cwd)
    work.folder.mkdir(parents=True, exist_ok=True)
    console = os.open(work.folder / CONSOLE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for stream in (1, 2):
        os.dup2(console, stream)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stopped)
    threading.Thread(target=follow, args=(leash,), daemon=True).start()
    import torch

    from cnnlab.launch.cell import train_cell
    from cnnlab.launch.ranks import log_to

    torch.set_num_threads(work.threads)
    log_to(work.folder)
    sys.path.insert(0, work.cwd)
    train_cell(work.config, work.folder, work.overrides, start_method="fork", again=work.again)


def follow(leash: Connection) -> None:
    """Waits until the other end is closed, by whatever ended the launcher, and ends this process, too."""
    try:
        leash.recv()
    except (EOFError, OSError):
        os.kill(os.getpid(), signal.SIGTERM)


def stopped(number: int, _: FrameType | None) -> NoReturn:
    """Ends the process as an interrupted one."""
    raise SystemExit(128 + number)
