"""Files that are either whole or not there, whatever happens while they are written."""

import errno
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NO_SYNC = (errno.EINVAL, errno.EBADF, errno.ENOTSUP)  # said by file systems that know of no such thing for folders
PARTIAL = re.compile(r"\..*\.\d+(\.\w+)?")


@contextmanager
def whole(path: Path, previous: Path | None = None) -> Iterator[Path]:
    """A file beside `path` to write to, which takes its name when the block ends, and vanishes if it raises.

    previous: takes what `path` was until then. One of the two is there at any moment.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # beside the target: a rename is atomic only within a file system; the same ending: numpy would add one
    partial = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield partial
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        if previous is not None and path.exists():
            path.replace(previous)
        partial.replace(path)
        sync_names(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def sync_names(folder: Path) -> None:
    """Has the disk know which names a folder has: a power cut would undo a rename, which is not part of the file."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in NO_SYNC:
            raise
    finally:
        os.close(descriptor)


def clear_partial(folder: Path) -> None:
    """Takes away what a process that was killed had begun to write; nobody else may be writing there."""
    for path in folder.glob(".*"):
        if PARTIAL.fullmatch(path.name) and path.is_file():
            path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes a whole text file, in UTF-8."""
    with whole(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Writes a whole JSON file; not-a-number becomes null, since JSON has none."""
    write_text(path, json.dumps(_without_nan(value), indent=2, allow_nan=False) + "\n")


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    if isinstance(value, float) and value - value != 0:  # nan and both infinities
        return None
    return value
