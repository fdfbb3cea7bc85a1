"""One command at a time trains a study: the next one says who does."""

import errno
import fcntl
import json
import logging
import os
import shlex
import socket
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from cnnlab.errors import UserError
from cnnlab.process import begun, lives

log = logging.getLogger(__name__)
LOCK = ".launcher.lock"
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # said by file systems that have none


def take(study: Path, command: Sequence[str]) -> TextIO:
    """The lock of a study, for `give_back`; without that the system gives it back when this process ends, however.

    Raises:
        UserError: another command has it, or may have it, on a host that cannot be seen from here.
    """
    study.mkdir(parents=True, exist_ok=True)
    file = (study / LOCK).open("a+", encoding="utf-8")
    try:
        lock(file, study)
        require_gone(said(file), study)
        write(file, command)
    except BaseException:
        file.close()
        raise
    return file


def is_taken(study: Path) -> bool:
    """Whether a command trains a study now, as far as can be seen from here; it takes nothing."""
    try:
        with (study / LOCK).open(encoding="utf-8") as file:
            told = said(file)
    except FileNotFoundError:
        return False
    if told is None:
        return False
    return told["host"] != socket.gethostname() or lives(told["pid"], told["since"])


def lock(file: TextIO, study: Path) -> None:
    """The system's lock of a file, where its file system has any."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            raise UserError(held_by(study, said(file))) from error
        if error.errno not in NO_LOCKS:
            raise


def require_gone(told: dict[str, Any] | None, study: Path) -> None:
    """Raises a UserError unless whoever wrote that into the file is known to live no more."""
    if told is None:
        return
    if told["host"] != socket.gethostname():
        raise UserError(
            f"{held_by(study, told)}. From here one cannot see whether it still runs; if it does not, delete "
            f"{study / LOCK}"
        )
    if told["pid"] != os.getpid() and lives(told["pid"], told["since"]):  # where there are no locks
        raise UserError(held_by(study, told))
    log.info("%s: the command of %s (process %s) was killed; going on", study, told["started"], told["pid"])


def give_back(file: TextIO) -> None:
    """Nobody has it any more."""
    file.truncate(0)
    file.close()


def write(file: TextIO, command: Sequence[str]) -> None:
    """Notes this process as the one that has it."""
    words = {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "since": begun(os.getpid()),
        "started": datetime.now().isoformat(" ", "seconds"),
        "command": shlex.join(["cnnlab", "train", "-m", *command]),
    }
    file.truncate(0)
    file.write(json.dumps(words))
    file.flush()


def said(file: TextIO) -> dict[str, Any] | None:
    """Who has it, or had it when it was killed; None if nobody says so."""
    file.seek(0)
    try:
        told = json.loads(file.read())
        return {
            "host": str(told["host"]),
            "pid": int(told["pid"]),
            "since": None if told["since"] is None else float(told["since"]),
            "started": str(told["started"]),
            "command": str(told["command"]),
        }
    except (ValueError, TypeError, LookupError, OverflowError, RecursionError):  # empty, half written, or edited
        return None


def held_by(study: Path, told: dict[str, Any] | None) -> str:
    """runs/s is being trained by process 12 on here, since ...: the command."""
    if told is None:
        return f"{study} is being trained by another command, which has just begun; wait for it, or stop it first"
    return (
        f"{study} is being trained by process {told['pid']} on {told['host']}, since {told['started']}: "
        f"{told['command']}. Wait for it (cnnlab status {study} --watch), or stop it first"
    )
