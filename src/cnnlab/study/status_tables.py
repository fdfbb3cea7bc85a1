"""What `cnnlab status` shows: tables, counts, and the time to go."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cnnlab.quantities import duration
from cnnlab.study.state import Cell, State
from cnnlab.study.status import RUNS, Study, read_study

STYLES: dict[State, str] = {
    "done": "green",
    "older": "dim",
    "missing": "dim",
    "interrupted": "yellow",
    "killed": "yellow",
    "unreadable": "red",
    "diverged": "magenta",
    "failed": "red",
    "running": "cyan",
}
ABOUT: dict[State, str] = {
    "older": "not in study.json",
    "missing": "not trained yet",
    "interrupted": "the same command goes on with them",
    "killed": "their process is gone; the same command goes on with them",
    "unreadable": "delete the file, and the same command trains them anew",
    "failed": "the same command tries them again",
    "diverged": "a result, too: delete a folder to try it again",
}


def shown(study: Study, rows: int | None) -> RenderableType:
    """Tables of what is in each state, so many rows of each, and the counts last."""
    parts: list[RenderableType] = []
    for state in study.counts:
        cells = study.of(state)
        about = f": {ABOUT[state]}" if state in ABOUT else ""
        parts.append(Text(f"{len(cells):,} {state}{about}", style=f"bold {STYLES[state]}"))
        parts.append(table(state, cells[:rows]))
        if rows is not None and len(cells) > rows:
            parts.append(Text(f"  ... and {len(cells) - rows:,} more", style="dim"))
    if study.problem:
        parts.append(Text(study.problem, style="red"))
    ablation = f" (ablation={study.record['ablation']})" if study.record["ablation"] else ""
    total = Text.assemble((str(study.folder), "bold"), f"{ablation}: ", counts(study))
    parts.append(total)
    if study.left and not study.counts.get("running") and study.record["commands"]:
        latest = study.record["latest"]
        command = study.record["commands"][-1 if latest is None else latest]
        parts.append(Text(f"go on: cnnlab train -m {_command(command)}"))
    return Group(*parts)


def table(state: State, cells: Sequence[Cell]) -> Padding:
    """Cells in one state: their scores, how far they are, or why they are not done."""
    drawn = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    drawn.add_column("cell", overflow="fold")
    columns = {"done": ["val accuracy", "test accuracy"], "running": ["epoch", "val accuracy"]}.get(state, [])
    for column in columns:
        drawn.add_column(column, justify="right")
    reasons = state not in ("done", "running", "killed") and any(cell.why for cell in cells)
    if reasons:
        drawn.add_column("", overflow="fold", style=STYLES[state])
    timed = any(cell.seconds is not None for cell in cells)
    if timed:
        drawn.add_column("seconds", justify="right")
    for cell in cells:
        values = [Text(plain(cell.varies)), *(_values(cell) if columns else [])]
        values += [Text(plain(cell.why))] if reasons else []
        values += [Text("" if cell.seconds is None else f"{cell.seconds:,.0f}")] if timed else []
        drawn.add_row(*values)
    return Padding(drawn, (0, 0, 0, 2), expand=False)  # so that lines which go on are indented, too


def _values(cell: Cell) -> list[Text]:
    if cell.state == "done":
        return [Text("?" if score is None else f"{score:.2%}") for score in cell.scores().values()]
    told = cell.progress()
    epoch, epochs = (None if told[key] is None else f"{told[key]:.0f}" for key in ("epoch", "epochs"))
    where = f", on {cell.elsewhere}" if cell.elsewhere else ""
    accuracy = told["val/accuracy"]
    return [Text(f"{epoch or 0} of {epochs or '?'}{where}"), Text("" if accuracy is None else f"{accuracy:.2%}")]


def counts(study: Study) -> Text:
    """'24 cells: 12 done, 2 running, 10 missing; ETA 5 min, 2 at once'."""
    parts = [Text(f"{count:,} {state}", style=STYLES[state]) for state, count in study.counts.items()]
    said = Text(f"{len(study.cells):,} {'cell' if len(study.cells) == 1 else 'cells'}: ") + Text(", ").join(parts)
    eta = study.eta_seconds()
    if study.left or study.counts.get("running"):
        words = "ETA unknown" if eta is None else f"ETA {duration(eta)}"
        idle = "" if study.counts.get("running") else " from when it goes on"
        said += Text(f"; {words}{idle}, {study.at_once} at once")
    return said


def overview(folders: Sequence[Path], rows: int | None) -> RenderableType:
    """A line for each study."""
    if not folders:
        return Text(f"There are no studies below {RUNS}/ yet. cnnlab train -m makes one")
    drawn = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    drawn.add_column("study", overflow="fold")
    drawn.add_column("cells", overflow="fold")
    for folder in folders[:rows]:
        drawn.add_row(Text(plain(folder.name)), counts(read_study(folder)))
    more = len(folders) - len(folders[:rows])
    return Group(drawn, *([Text(f"... and {more:,} more", style="dim")] if more else []))


def plain(text: str) -> str:
    """Without what would move a terminal's cursor: the files may be anybody's."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _command(words: Any) -> str:
    return plain(shlex.join([str(word) for word in words]) if isinstance(words, list) else str(words))
