"""`cnnlab status`: what became of a study's cells, as tables or as JSON, once or until all is done."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.live import Live

from cnnlab.errors import UserError, did_you_mean
from cnnlab.study.lock import is_taken
from cnnlab.study.state import STATES, Cell
from cnnlab.study.status import RUNS, Study, read_study, studies_below, study_folder
from cnnlab.study.status_tables import counts, overview, shown

ROWS = 20  # of each kind, without --all
PERIOD = 2.0  # seconds between looks
OPTIONS = ("--watch", "--json", "--all")


def status(arguments: Sequence[str]) -> None:
    """Prints how studies are getting on: those named, or all below runs/.

    Raises:
        UserError: there is no such study or option.
    """
    options = {argument for argument in arguments if argument.startswith("-")}
    if odd := options - set(OPTIONS):
        raise UserError(f"status {min(odd)}: there is no such option.{did_you_mean(min(odd), OPTIONS)} Try --help")
    named = [study_folder(argument) for argument in arguments if argument not in options]
    rows = None if "--all" in options else ROWS
    if "--watch" in options:
        if not named or "--json" in options:
            raise UserError("status --watch: it wants the name of a study, and goes without --json")
        watch(named, rows)
        return
    folders = named or studies_below(RUNS)
    if "--json" in options:
        print(json.dumps({"studies": [as_json(read_study(folder), cells=bool(named)) for folder in folders]}, indent=2))
        return
    console = Console(highlight=False)
    if named:
        for folder in named:
            console.print(shown(read_study(folder), rows))
    else:
        console.print(overview(folders, rows))


def watch(folders: Sequence[Path], rows: int | None) -> None:
    """Looks again and again until nobody trains them any more, also if cells are missing.

    Away from a terminal, a line for each change.
    """
    console = Console(highlight=False)
    said = ""
    with Live(console=console, auto_refresh=False) as live:
        while True:
            begun = time.monotonic()
            trained = any(is_taken(folder) for folder in folders)  # first: its end may come between
            studies = [read_study(folder) for folder in folders]
            if console.is_terminal:
                kinds = sum(len(study.counts) for study in studies)
                fits = max(2, (console.height - 2 * len(studies)) // max(1, kinds) - 3)
                live.update(Group(*(shown(study, min(fits, rows or fits)) for study in studies)), refresh=True)
            elif said != (said := "\n".join(f"{study.folder}: {counts(study)}" for study in studies)):
                print(said, flush=True)
            if not trained and not any(study.counts.get("running") for study in studies):
                break
            time.sleep(max(PERIOD, 5 * (time.monotonic() - begun)))  # of a large study, less often
    if missing := sum(study.counts.get("missing", 0) for study in studies):
        print(f"nobody trains them now; {missing:,} {'cell is' if missing == 1 else 'cells are'} missing")


def as_json(study: Study, cells: bool) -> dict[str, Any]:
    """The same for programs."""
    told: dict[str, Any] = {
        "study": str(study.folder),
        "counts": {state: study.counts.get(state, 0) for state in STATES},
        "eta_seconds": study.eta_seconds(),
        "mean_seconds": study.mean_seconds(),
        "at_once": study.at_once,
        "ablation": study.record["ablation"],
        "problem": study.problem or None,
    }
    return {**told, "cells": [_cell_as_json(cell, study) for cell in study.cells]} if cells else told


def _cell_as_json(cell: Cell, study: Study) -> dict[str, Any]:
    known = study.record["cells"].get(cell.folder.name, {})
    numbers = cell.scores() if cell.state == "done" else cell.progress() if cell.state == "running" else {}
    return {
        "cell": cell.folder.name,
        "overrides": known.get("overrides", []),
        "labels": known.get("labels", {}),
        "state": cell.state,
        "why": cell.why or None,
        "attempt": cell.status.get("attempt"),
        "code_changed": bool(cell.status.get("code_changed")),
        "host": cell.status.get("host"),
        "seconds": cell.seconds,
        **numbers,
    }
