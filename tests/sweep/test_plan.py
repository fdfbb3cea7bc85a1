"""What a plan says of memory and disk."""

from pathlib import Path

import psutil
import pytest

from cnnlab.launch.rehearsal import Rehearsed
from cnnlab.run import Run
from cnnlab.sweep.cells import Cell
from cnnlab.sweep.plan import Planned, summary, totals
from conftest import compose_config

ALL = psutil.virtual_memory().total


def planned(folder: Path, seed: int, memory: float, error: str = "", disk: int = 1000) -> Planned:
    """A new cell whose rehearsal took that share of this machine's memory."""
    cost = {"peak_memory_bytes": memory * ALL, "parameters": 1, "flops": 1}
    cost |= {"step_seconds": 0.1, "validation_step_seconds": 0.1, "fit_seconds": 1.0}
    result = {"cost": cost, "data": {"images": {"train": 1000, "val": 100, "test": 100}}}
    cell = Cell(compose_config(f"seed={seed}", "trainer=cpu"), folder, [])
    return Planned(cell, Run(cell.folder), False, Rehearsed(error, None if error else result, "", 2.0, disk))


def test_a_cell_that_is_larger_than_the_memory_is_named(tmp_path: Path) -> None:
    (line,) = summary([planned(tmp_path, 0, 0.1), planned(tmp_path, 1, 1.5)], 1, [])
    assert line.startswith("cell 2 will not fit")


def test_cells_that_fit_alone_may_not_fit_together(tmp_path: Path) -> None:
    cells = [planned(tmp_path, seed, 0.5) for seed in (0, 1)]
    assert not list(summary(cells, 1, []))
    (line,) = summary(cells, 2, [])
    assert "take a smaller hydra.launcher.jobs" in line


def test_a_cell_that_fails_is_told_with_its_number(tmp_path: Path) -> None:
    assert list(summary([planned(tmp_path, 0, 0.1, "no such file")], 1, [])) == ["cell 1 fails: no such file"]


def test_a_disk_that_is_too_small_is_told(tmp_path: Path) -> None:
    (line,) = summary([planned(tmp_path, 0, 0.1, disk=10**16)], 1, [])
    assert "of disk" in line


@pytest.mark.parametrize(("jobs", "said"), [(1, "9 s with"), (2, "5 s with")])
def test_cells_side_by_side_take_less_time(tmp_path: Path, jobs: int, said: str) -> None:
    cells = [planned(tmp_path, seed, 0.1) for seed in (0, 1)]
    for one in cells:  # 31 steps of 0.1 s, 200 images of 0.1 / 32 s, and a second around: 4.7 s
        one.cell.config["trainer"] |= {"max_epochs": 1}
    (_, line) = totals(cells, [], 0, jobs)
    assert said in line, line
