"""What `cnnlab status` makes of the files of a study, whatever state they are in."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cnnlab.atomic import write_json
from cnnlab.errors import UserError
from cnnlab.quantities import duration
from cnnlab.study.lock import give_back, take
from cnnlab.study.record import read_record
from cnnlab.study.state import Cell, read_cell
from cnnlab.study.status import Study, read_study
from conftest import TINY

Command = Callable[..., int]
Captured = pytest.CaptureFixture[str]
GONE = 2**22 + 1  # no process has this number
DONE = {"state": "done", "seconds": 20.0}
RUNNING = {"state": "running", "host": socket.gethostname(), "started": time.time() - 5}


def put(study: Path, name: str, **status: Any) -> Path:
    """A cell's folder."""
    write_json(study / name / "status.json", status)
    if status.get("state") == "done":
        write_json(study / name / "result.json", {"metrics": {"val/accuracy": 0.91, "test/accuracy": 0.9}})
    return study / name


def record(study: Path, *names: str, **more: Any) -> None:
    """study.json, where each cell has an override of its own."""
    cells = {name: {"overrides": [f"model={name}"], "labels": {}} for name in names}
    write_json(study / "study.json", {"commands": [["model=a,b", "seed=0"]], "cells": cells, "jobs": 2, **more})


def state_of(study: Study, name: str) -> str:
    return next(cell.state for cell in study.cells if cell.folder.name == name)


@pytest.fixture
def grid(here: Path) -> Path:
    """A study with a cell in each state."""
    study = here / "runs" / "grid"
    put(study, "a", **DONE)
    put(study, "b", state="failed", seconds=3, error="RuntimeError: first line\nthe last line")
    put(study, "c", state="diverged", seconds=4, error="the loss is nan")
    put(study, "d", state="interrupted", seconds=5)
    put(study, "e", **RUNNING, pid=GONE)
    put(study, "f", **RUNNING, pid=os.getppid())
    (study / "g").mkdir()
    (study / "g" / "status.json").write_text('{"state": "do')
    put(study, "old", **DONE)
    record(study, *"abcdefgh")
    return study


def test_each_cell_is_in_its_state(grid: Path) -> None:
    states = [cell.state for cell in read_study(grid).cells]
    assert states == [
        *("done", "failed", "diverged", "interrupted", "killed", "running", "unreadable", "missing", "older")
    ]


@pytest.mark.usefixtures("grid")
def test_all_of_them_are_shown(command: Command, capsys: Captured) -> None:
    assert command("status", "grid") == 0
    said = capsys.readouterr().out
    assert "91.00%         90.00%       20" in said
    assert "the last line" in said
    assert "first line" not in said
    assert "the loss is nan" in said
    assert "1 killed: their process is gone; the same command goes on with them" in said
    assert "1 older: not in study.json" in said
    assert "status.json: Unterminated string" in said
    assert (
        "9 cells: 1 done, 1 older, 1 missing, 1 interrupted, 1 killed, 1 unreadable, 1 diverged, 1 failed, 1 run"
        in said
    )
    assert all(f"model={name}" in said for name in "abcdefgh")


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "null", '"done"', "{}", '{"state": []}', '{"state": "dnoe"}', "\xff", "[" * 100_000),
        '{"state": "running"}',
        '{"state": "running", "host": 1, "pid": 1, "started": 1}',
        '{"state": "running", "host": "x", "pid": -1, "started": 1}',
        '{"state": "running", "host": "x", "pid": 1, "started": "now"}',
        '{"state": "running", "host": "x", "pid": 1, "started": 1, "pid_since": "?"}',
    ],
)
def test_a_status_that_is_none_is_unreadable_and_says_why(
    text: str, grid: Path, command: Command, capsys: Captured
) -> None:
    (grid / "a" / "status.json").write_text(text, encoding="latin-1")
    cell = read_study(grid).cells[0]
    assert cell.state == "unreadable"
    assert len(cell.why) > len("status.json: ")
    assert command("status", "grid", "--json") == 0
    assert command("status", "grid") == 0
    assert "2 unreadable" in capsys.readouterr().out


@pytest.mark.parametrize("odd", [None, "x", [], {}, True, float("nan"), 10**400])
def test_odd_values_are_left_out(odd: Any, grid: Path, command: Command) -> None:
    for name, key in (("a", "seconds"), ("b", "error"), ("c", "seconds"), ("d", "started"), ("old", "started")):
        file = grid / name / "status.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), key: odd}))
    (grid / "a" / "result.json").write_text(json.dumps({"metrics": odd}))
    (grid / "f" / "metrics.csv").write_text("epoch,step\nfirst,second\n")
    assert command("status", "grid") == 0
    assert command("status", "grid", "--json") == 0


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_files_and_folders_in_each_others_place_are_named(kind: str, grid: Path) -> None:
    (grid / "h").mkdir() if kind == "folder" else (grid / "h").write_text("")
    if kind == "folder":
        (grid / "h" / "status.json").mkdir()
    assert state_of(read_study(grid), "h") == "unreadable"


def test_what_runs_on_another_host_is_believed(tmp_path: Path) -> None:
    put(tmp_path, "a", **{**RUNNING, "host": "far.away"}, pid=GONE)
    (cell,) = read_study(tmp_path).cells
    assert (cell.state, cell.elsewhere) == ("running", "far.away")


def test_done_without_a_result_is_missing(grid: Path) -> None:
    (grid / "a" / "result.json").unlink()
    assert read_study(grid).cells[0].state == "missing"


def test_a_folder_that_has_not_begun_is_missing(grid: Path) -> None:
    (grid / "h").mkdir()
    assert state_of(read_study(grid), "h") == "missing"


def test_without_study_json_nothing_is_older_and_folders_name_cells(tmp_path: Path) -> None:
    put(tmp_path, "a", **DONE)
    (cell,) = read_study(tmp_path).cells
    assert (cell.state, cell.varies) == ("done", "a")


def test_labels_come_before_overrides(tmp_path: Path) -> None:
    write_json(
        tmp_path / "study.json",
        {"cells": {"a": {"overrides": ["seed=0"], "labels": {"leave_out": "- dropout"}}, "b": {}}},
    )
    assert [cell.varies for cell in read_study(tmp_path).cells] == ["- dropout, seed=0", "b"]


def test_how_far_a_cell_is(tmp_path: Path) -> None:
    run = put(tmp_path, "a", **RUNNING, pid=os.getppid())
    (run / ".hydra").mkdir()
    (run / ".hydra" / "config.yaml").write_text("model:\n  max_epochs: 1\ntrainer:\n  devices: 1\n  max_epochs: 7\n")
    (run / "metrics.csv").write_text("epoch,step,val/accuracy\n0,4,0.5\n1,8,0.75\n")
    (cell,) = read_study(tmp_path).cells
    assert cell.progress() == {"epoch": 2, "epochs": 7, "val/accuracy": 0.75}


def test_the_time_to_go(tmp_path: Path) -> None:
    for n in range(2):
        put(tmp_path, f"done{n}", state="done", seconds=15 + 10 * n)
    record(tmp_path, "done0", "done1", *(f"m{n}" for n in range(8)))
    assert read_study(tmp_path).eta_seconds() == 8 * 20 / 2
    put(tmp_path, "m0", **{**RUNNING, "started": time.time() - 10}, pid=os.getppid())
    assert read_study(tmp_path).eta_seconds() == pytest.approx((7 * 20 + 10) / 2, abs=1)


def test_the_time_to_go_before_any_is_done_is_what_the_first_promise(tmp_path: Path) -> None:
    run = put(tmp_path, "a", **{**RUNNING, "started": time.time() - 10}, pid=os.getppid())
    assert read_study(tmp_path).eta_seconds() is None
    (run / ".hydra").mkdir()
    (run / ".hydra" / "config.yaml").write_text("trainer:\n  max_epochs: 10\n")
    (run / "metrics.csv").write_text("epoch\n4\n")
    assert read_study(tmp_path).eta_seconds() == pytest.approx(10, abs=1)


def test_of_many_cells_twenty_are_shown_and_with_all_every_one(here: Path, command: Command, capsys: Captured) -> None:
    for n in range(25):
        put(here / "runs" / "s", f"cell{n}", **DONE)
    assert command("status", "s") == 0
    said = capsys.readouterr().out
    assert said.count("91.00%") == 20
    assert "... and 5 more" in said
    assert command("status", "s", "--all") == 0
    assert capsys.readouterr().out.count("91.00%") == 25


def test_results_of_cells_that_are_not_shown_are_not_read(
    here: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a study of ten thousand cells that would take longest."""
    for n in range(25):
        put(here / "runs" / "s", f"cell{n}", **DONE)
    asked: list[Cell] = []

    def scores(cell: Cell) -> dict[str, float | None]:
        asked.append(cell)
        return {"val/accuracy": 0.9, "test/accuracy": 0.9}

    monkeypatch.setattr(Cell, "scores", scores)
    assert command("status", "s") == 0
    assert len(asked) == 20


@pytest.mark.usefixtures("grid")
def test_json_says_the_same(command: Command, capsys: Captured) -> None:
    assert command("status", "runs/grid", "--json") == 0
    (told,) = json.loads(capsys.readouterr().out)["studies"]
    assert told["counts"]["done"] == told["counts"]["failed"] == 1
    assert told["at_once"] == 2
    cells = {cell["cell"]: cell for cell in told["cells"]}
    assert cells["a"]["overrides"] == ["model=a"]
    assert cells["a"]["val/accuracy"] == 0.91
    assert cells["b"]["why"] == "the last line"
    assert cells["h"]["state"] == "missing"


def test_without_a_name_all_studies_are_listed_the_newest_first(
    grid: Path, here: Path, command: Command, capsys: Captured
) -> None:
    put(here / "runs" / "newer", "a", **DONE)
    os.utime(grid, (1, 1))
    (here / "runs" / "data" / "digits-none").mkdir(parents=True)  # of another command
    assert command("status") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["newer", "grid"]
    assert command("status", "--json") == 0
    assert [each["study"] for each in json.loads(capsys.readouterr().out)["studies"]] == ["runs/newer", "runs/grid"]


def test_no_studies_at_all_is_no_error(command: Command, capsys: Captured) -> None:
    assert command("status") == 0
    assert "There are no studies below runs/ yet" in capsys.readouterr().out


@pytest.mark.usefixtures("grid")
def test_several_names(here: Path, command: Command, capsys: Captured) -> None:
    put(here / "elsewhere", "x", **DONE)
    assert command("status", "grid", "elsewhere") == 0
    said = capsys.readouterr().out
    assert "runs/grid: 9 cells" in said
    assert "elsewhere: 1 cell: 1 done" in said


@pytest.mark.usefixtures("grid")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["gird"], "there is no study gird, as a folder or below runs. Did you mean grid?"),
        (["empty"], "empty is no study: there is no study.json in it"),
        (["grid/a"], "runs/grid/a is the folder of one cell; its study is"),
        (["grid", "--jsn"], "status --jsn: there is no such option. Did you mean --json?"),
        (["--watch"], "status --watch: it wants the name of a study"),
        (["grid", "--watch", "--json"], "goes without --json"),
    ],
)
def test_what_cannot_be_shown_is_named(
    words: list[str], said: str, here: Path, command: Command, capsys: Captured
) -> None:
    (here / "empty").mkdir()
    assert command("status", *words) == 1
    assert said in capsys.readouterr().err


def test_lines_that_go_on_are_indented(
    here: Path, command: Command, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    put(here / "runs" / "s", "x", **DONE)
    words = ["model=resnet20", "regularizer=[none,dropout]", "datamodule=fashion_mnist", "trainer.max_epochs=30"]
    write_json(here / "runs" / "s" / "study.json", {"commands": [words], "cells": {"x": {"overrides": words}}})
    assert command("status", "s") == 0
    _, *rows, _ = capsys.readouterr().out.splitlines()
    assert len(rows) > 2
    assert all(row.startswith("  ") and len(row.rstrip()) <= 80 for row in rows)


def test_studies_that_are_not_listed_are_hinted_at(here: Path, command: Command, capsys: Captured) -> None:
    for n in range(7):
        put(here / "runs" / f"study{n}", "x", **DONE)
    assert command("status", "other") == 1
    assert re.search(r"There are: (study\d, ){5}\.\.\.$", capsys.readouterr().err.strip())


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"cells": []}', '{"cells": {"a": 1}}', '{"jobs": "2"}', '{"commands": 1}', '{"jobs": 0}']
)
def test_a_broken_study_json_is_named_and_the_cells_are_shown(
    text: str, grid: Path, command: Command, capsys: Captured
) -> None:
    (grid / "study.json").write_text(text)
    with pytest.raises(UserError, match=r"study\.json"):
        read_record(grid)
    assert command("status", "grid") == 0
    said = capsys.readouterr().out
    assert "study.json" in said
    assert "2 done" in said


@pytest.mark.parametrize("width", [40, 80])
def test_it_fits_a_narrow_terminal(
    width: int, here: Path, command: Command, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = here / "runs" / "s"
    name = "resnet20-batch-dropout0.5-weight_decay0.0005-label_smoothing0.1-adam-digits-s{}-01234567"
    put(study, name.format(0), **DONE)
    put(study, name.format(1), state="failed", error="it broke " * 30)
    put(study, name.format(2), **RUNNING, pid=os.getppid())
    monkeypatch.setenv("COLUMNS", str(width))
    assert command("status", "s") == 0
    assert max(len(line) for line in capsys.readouterr().out.splitlines()) <= width


def test_what_moves_a_cursor_is_not_printed(grid: Path, command: Command, capsys: Captured) -> None:
    put(grid, "b", state="failed", error="\x1b[2Jgone [bold]")
    assert command("status", "grid") == 0
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert "gone [bold]" in said


def test_it_needs_neither_torch_nor_hydra(grid: Path) -> None:
    code = (
        "import sys; sys.argv = ['cnnlab', 'status', 'grid']\n"
        "from cnnlab.cli import main\n"
        "main()\n"
        "sys.exit(bool({'torch', 'lightning', 'hydra', 'omegaconf', 'pydantic', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=grid.parents[1], capture_output=True).returncode == 0


def test_watching_ends_when_nothing_runs_and_nothing_is_missing(
    here: Path, command: Command, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = here / "runs" / "s"
    put(study, "a", **DONE)
    record(study, "a", "b")
    held = take(study, [])

    def sleep(_: float) -> None:
        put(study, "b", **DONE)
        give_back(held)

    monkeypatch.setattr("cnnlab.study.status_command.time.sleep", sleep)
    assert command("status", "s", "--watch") == 0
    first, last = capsys.readouterr().out.splitlines()
    assert "1 done, 1 missing; ETA 20 s" in first
    assert last == "runs/s: 2 cells: 2 done"


def test_watching_ends_when_nobody_trains_what_is_missing(here: Path, command: Command, capsys: Captured) -> None:
    record(here / "runs" / "s", "a")
    assert command("status", "s", "--watch") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "nobody trains them now; 1 cell is missing"


def watcher(here: Path) -> "subprocess.Popen[str]":
    words = [sys.executable, "-u", "-m", "cnnlab", "status", "s", "--watch"]
    return subprocess.Popen(words, cwd=here, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_ctrl_c_ends_watching(here: Path) -> None:
    record(here / "runs" / "s", "a")
    held = take(here / "runs" / "s", [])
    watching = watcher(here)
    assert watching.stdout
    assert "1 missing" in watching.stdout.readline()
    watching.send_signal(signal.SIGINT)
    _, said = watching.communicate(timeout=60)
    give_back(held)
    assert watching.returncode == 130
    assert "Traceback" not in said


@pytest.mark.parametrize(("seconds", "said"), [(85, "85 s"), (700, "12 min"), (12_000, "3.3 h"), (2e5, "2.3 days")])
def test_durations_are_short(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.slow
def test_a_sweep_is_watched_while_it_runs(here: Path) -> None:
    words = ["train", "-m", "study=s", "seed=0,1", "hydra.launcher.jobs=1", *TINY, "trainer.max_epochs=40"]
    with subprocess.Popen([sys.executable, "-m", "cnnlab", *words], cwd=here, stdout=subprocess.DEVNULL) as sweep:
        study = here / "runs" / "s"
        seen: list[tuple[Any, ...]] = []
        while sweep.poll() is None:
            if study.exists():
                for cell in read_study(study).cells:
                    assert cell.state in ("missing", "running", "done"), cell.why
                    seen.append((cell.state, *cell.progress().values()))
            time.sleep(0.05)
    assert sweep.returncode == 0
    assert {row[0] for row in seen} == {"missing", "running", "done"}
    assert any(state == "running" and epoch and epochs == 40 and accuracy for state, epoch, epochs, accuracy in seen)
    watching = watcher(here)
    told, _ = watching.communicate(timeout=100)
    assert "runs/s: 2 cells: 2 done" in told
    assert read_cell(study / "nowhere", False, "x", True).state == "missing"
