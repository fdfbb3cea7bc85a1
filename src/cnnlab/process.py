"""Processes told apart, also when the clock was set meanwhile."""

import os
from pathlib import Path

import psutil


def begun(pid: int) -> float | None:
    """When a process that lives was started, in seconds after the machine was; None if there is none.

    psutil's time of creation is that of the clock, and moves with it.
    """
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        stat = Path(f"/proc/{pid}/stat")
        if stat.exists():  # the name, in brackets, may hold anything
            ticks = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19]
            return int(ticks) / os.sysconf("SC_CLK_TCK")
        return float(process.create_time())
    except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError, OverflowError):
        return None


def lives(pid: int, since: float | None) -> bool:
    """Whether a process still is the one that was begun then; None: whoever has the number is taken for it."""
    now = begun(pid)
    return now is not None and (since is None or abs(now - since) < 1)
