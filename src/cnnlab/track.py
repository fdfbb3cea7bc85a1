"""Progress and time to go, for work that may take long."""

import os
from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Item = TypeVar("Item")
QUIET = "CNNLAB_QUIET"  # set in the environment by --quiet


def tracked(items: Iterable[Item], total: int, what: str) -> Iterator[Item]:
    """The items, with a bar on the terminal's error output while they come; away from a terminal a line at the end."""
    if not total:
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=QUIET in os.environ) as progress:
        yield from progress.track(items, total, description=what)
