"""What a plan says of each cell: what is there of it, and what it would cost."""

import json
from pathlib import Path

import pytest
from rich.console import Console
from test_plan import planned

from cnnlab.run import Run
from cnnlab.sweep.cells import Cell
from cnnlab.sweep.plan import Planned, table, totals
from conftest import compose_config


def left(folder: Path, state: str, **more: bool) -> Planned:
    """A cell whose folder a run has left in that state."""
    cell = Cell(compose_config("trainer=cpu"), folder, [])
    cell.folder.mkdir(parents=True)
    (cell.folder / "status.json").write_text(json.dumps({"state": state, "attempt": 1}))
    (cell.folder / "result.json").write_text(json.dumps({"metrics": {"val/accuracy": 0.5}}))
    return Planned(cell, Run(cell.folder), more.get("twin", False), None, more.get("anew", False))


@pytest.mark.parametrize(
    ("state", "more", "said"),
    [
        ("done", {}, "done"),
        ("diverged", {}, "diverged"),
        ("failed", {}, "new"),
        ("done", {"anew": True}, "anew"),
        ("done", {"twin": True}, "duplicate"),
    ],
)
def test_what_is_there_of_a_cell_is_its_state(tmp_path: Path, state: str, more: dict[str, bool], said: str) -> None:
    one = left(tmp_path, state, **more)
    assert one.state == said
    assert (one.seconds, one.memory_bytes, one.disk_bytes) == (0, 0, 0)


def test_the_table_has_what_a_rehearsal_measured_and_nothing_of_what_fails(tmp_path: Path) -> None:
    cells = [planned(tmp_path, 0, 0.1), planned(tmp_path, 1, 0.1, "no such file"), planned(tmp_path, 2, 0.1)]
    console = Console(width=200)
    with console.capture() as said:
        console.print(table(cells, [], rows=2))
    _, first, second = said.get().splitlines()
    assert "new" in first
    assert "iB" in first
    assert "fails" in second
    assert "iB" not in second


def test_states_are_counted(tmp_path: Path) -> None:
    line, *_ = totals([planned(tmp_path, 0, 0.1), left(tmp_path / "other", "done")], [], 3, 1)
    assert line.startswith("2 cells: ")
    assert {"1 new", "1 done", "3 excluded"} <= set(line.removeprefix("2 cells: ").split(", "))
