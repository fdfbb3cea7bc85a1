"""Cells whose code has changed since: kept, refused or trained anew, and always told."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cnnlab.atomic import write_json
from cnnlab.code import LEFT_OUT, PACKAGE, code_of, differs, sources
from cnnlab.conf import as_root_keys
from cnnlab.launch.code_change import described, sort_out
from cnnlab.run import Run
from cnnlab.sweep.arguments import default_study
from conftest import TINY, runs
from test_imports import MODULES, imports

Command = Callable[..., int]
Process = Callable[..., Any]
OTHER = {"commit": "abc1234def", "dirty": False, "digest": "0"}
NOW = {"commit": "def5678abc", "dirty": True, "digest": "1"}
MINE = (
    "from cnnlab.models.lenet import lenet5\n\n\ndef mine(**shape):\n    return lenet5('modern', kernel=5, **shape)\n"
)


@pytest.fixture
def mine(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module of the user's own in the working folder, which model=mine takes its network from."""
    monkeypatch.syspath_prepend(str(here))
    monkeypatch.setenv("CNNLAB_ALLOWED_PACKAGES", "mine")
    (here / "conf" / "model").mkdir(parents=True)
    (here / "conf" / "model" / "mine.yaml").write_text(
        "# @package _global_\ndefaults: [_base]\nmodel: {name: mine, _target_: mine.mine}\n"
    )
    file = here / "mine.py"
    file.write_text(MINE)
    return file


def change(file: Path) -> None:
    file.write_text(f"{MINE}\n# changed\n")


def interrupt(run: Path) -> None:
    """As a run whose process was killed before it could write its result."""
    (run / "result.json").unlink()
    write_json(run / "status.json", {**status(run), "state": "interrupted"})


def status(run: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((run / "status.json").read_text())
    return told


def attempts(here: Path) -> list[int]:
    return [status(run)["attempt"] for run in runs(here)]


SINGLE = ["train", "model=mine", "study=s", *TINY]
SWEEP = ["train", "-m", "model=mine", "study=s", "seed=0,1", *TINY]
KINDS = pytest.mark.parametrize(
    "words", [pytest.param(SINGLE, id="single"), pytest.param(SWEEP, id="sweep", marks=pytest.mark.slow)]
)


@KINDS
def test_what_is_done_is_kept_and_one_line_says_so(
    words: list[str], command: Command, mine: Path, here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert command(*words) == 0
    change(mine)
    capfd.readouterr()
    assert command(*words) == 0
    told = "".join(capfd.readouterr())
    assert told.count("trained with other code") == 1
    assert ("2 cells were trained" if "-m" in words else "1 cell was trained") in told
    assert "on_code_change=retrain trains" in told
    assert set(attempts(here)) == {1}


@KINDS
def test_error_trains_nothing(
    words: list[str], command: Command, mine: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(*words) == 0
    change(mine)
    more = ["seed=0,1,2"] if "-m" in words else []
    assert command(*words, *more, "study.on_code_change=error") == 1
    said = capsys.readouterr().err
    assert runs(here)[0].name in said
    assert "on_code_change=retrain trains it anew" in said
    assert set(attempts(here)) == {1}
    assert len(runs(here)) == (2 if "-m" in words else 1)


@KINDS
def test_retrain_begins_anew_what_is_done_and_what_is_half_done(
    words: list[str], command: Command, mine: Path, here: Path
) -> None:
    assert command(*words) == 0
    interrupt(runs(here)[0])
    change(mine)
    assert command(*words, "on_code_change=retrain") == 0
    assert set(attempts(here)) == {2}
    for run in runs(here):
        assert Run(run).done
        assert "code_changed" not in status(run)
        assert "going on after" not in (run / "train.log").read_text()
    assert command(*words, "on_code_change=retrain") == 0
    assert set(attempts(here)) == {2}


@KINDS
def test_what_is_half_done_goes_on_and_says_so_from_then_on(
    words: list[str], command: Command, mine: Path, here: Path
) -> None:
    assert command(*words) == 0
    first = runs(here)[0]
    interrupt(first)
    change(mine)
    assert command(*words) == 0
    log = (first / "train.log").read_text()
    assert "going on with other code" in log
    assert "going on after epoch 2" in log
    interrupt(first)
    assert command(*words) == 0
    assert status(first)["code_changed"] is True
    assert json.loads((first / "result.json").read_text())["code_changed"] is True


@pytest.mark.slow
def test_a_run_of_before_is_no_matter_for_complaint(command: Command, mine: Path, here: Path) -> None:
    assert command(*SINGLE) == 0
    (run,) = runs(here)
    write_json(run / "status.json", {key: value for key, value in status(run).items() if key != "code"})
    change(mine)
    assert command(*SINGLE, "on_code_change=error") == 0


@pytest.mark.slow
@pytest.mark.usefixtures("mine")
def test_unchanged_code_is_the_same_in_a_single_run_and_a_sweep(command: Command, here: Path) -> None:
    assert command(*SINGLE) == 0
    assert command(*SWEEP, "on_code_change=error") == 0
    assert attempts(here) == [1, 1]


@pytest.mark.slow
def test_ranks_go_on_with_other_code_and_begin_anew_with_it(process: Process, mine: Path, here: Path) -> None:
    words = [*SINGLE, "trainer=ddp_cpu"]
    assert process(*words).returncode == 0
    (run,) = runs(here)
    interrupt(run)
    change(mine)
    assert process(*words, "on_code_change=error").returncode == 1
    assert process(*words).returncode == 0
    assert json.loads((run / "result.json").read_text())["code_changed"] is True
    mine.write_text(MINE)
    anew = process(*words, "on_code_change=retrain")
    assert anew.returncode == 0, anew.stderr
    assert status(run)["attempt"] == 3
    assert "code_changed" not in status(run)


@pytest.mark.parametrize("kept", [{}, {"code_changed": True}])
def test_an_attempt_that_never_began_leaves_what_is_known_of_the_code(kept: dict[str, Any], tmp_path: Path) -> None:
    run = Run(tmp_path)
    write_json(run.status_file, {"state": "interrupted", "attempt": 1, "started": 1.0, "code": OTHER, **kept})
    run.close("it was ended by SIGKILL", 1, since=2.0)
    assert run.status["state"] == "failed"
    assert differs(run.status, NOW)
    assert run.status.get("code_changed") == kept.get("code_changed")


def test_modules_that_a_module_imports_count(here: Path) -> None:
    (here / "nets").mkdir()
    (here / "nets" / "__init__.py").write_text("")
    (here / "nets" / "tiny.py").write_text("import torch, numpy\nfrom layers_of_mine import block\n")
    (here / "layers_of_mine.py").write_text("import nets.tiny\n")
    (here / "other.py").write_text("")
    assert sorted(sources(["nets.tiny"])) == ["layers_of_mine", "nets/__init__.py", "nets/tiny.py"]


def test_a_module_in_a_folder_without_init_is_found(here: Path) -> None:
    (here / "nets").mkdir()
    (here / "nets" / "tiny.py").write_text("a = 1\n")
    assert sources(["nets.tiny"]) == {"nets.tiny": b"a = 1\n"}


def test_a_module_that_is_not_there_or_cannot_be_parsed_is_no_error(here: Path) -> None:
    (here / "broken.py").write_text("def (")
    assert list(sources(["broken", "nowhere.at.all"])) == ["broken"]


def test_only_the_users_modules_make_the_difference(here: Path) -> None:
    (here / "mine.py").write_text("a = 1\n")
    config = {"model": {"_target_": "mine.Net"}, "optim": {"_target_": "torch.optim.Adam"}}
    before = code_of(config)
    (here / "elsewhere.py").write_text("b = 1\n")
    assert code_of(config) == before
    (here / "mine.py").write_text("a = 2\n")
    assert differs({"code": before}, code_of(config))


def test_what_trains_is_never_left_out_of_the_hash() -> None:
    """But for what checks, shows or decides on its way."""
    harmless = {"check.py", "ranges.py", "summary.py", "track.py", "launch/code_change.py", "launch/preload.py"}
    harmless |= {"allowed.py", "secrets.py", "explain.py", "check_length.py"}
    seen: set[str] = set()
    waiting = ["train.py", "launch/cell.py", "launch/child.py"]
    while waiting:
        module = waiting.pop()
        seen.add(module)
        if module not in harmless:  # what only those need trains nothing
            names = (name[7:].replace(".", "/") for name in imports(module) if name.startswith("cnnlab."))
            waiting += [f"{name}.py" for name in names if f"{name}.py" in MODULES and f"{name}.py" not in seen]
    assert {module for module in seen if module in LEFT_OUT or module.split("/")[0] in LEFT_OUT} <= harmless


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_is_left_out_is_there(name: str) -> None:
    assert (PACKAGE / name).exists()


def test_many_cells_are_named_in_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnlab.launch.code_change.code_with", lambda _: NOW)
    for n in range(24):
        write_json(tmp_path / f"cell{n}" / "status.json", {"state": "done", "code": OTHER})
        write_json(tmp_path / f"cell{n}" / "result.json", {})
    out = sort_out({tmp_path / f"cell{n}": {"on_code_change": "warn"} for n in range(25)})
    assert (len(out.todo), out.anew) == (1, [])
    assert out.said == (
        "24 cells were trained with other code (commit abc1234, now def5678 with changes not committed)"
        "; on_code_change=retrain trains them anew"
    )
    out = sort_out({tmp_path / f"cell{n}": {"on_code_change": "retrain"} for n in range(25)})
    assert (len(out.todo), len(out.anew)) == (25, 24)
    with pytest.raises(ValueError, match="cell0, cell1, cell2 and 21 more"):
        sort_out({tmp_path / f"cell{n}": {"on_code_change": "error"} for n in range(25)})


def test_code_in_no_checkout_has_no_name() -> None:
    assert described({"commit": None, "dirty": None, "digest": "1"}) == ""


def test_the_key_may_be_spelt_as_the_studys() -> None:
    assert as_root_keys(["study=s", "study.on_code_change=error", "++study.on_code_change=warn"]) == [
        *("study=s", "on_code_change=error", "++on_code_change=warn")
    ]


def test_it_does_not_change_a_sweeps_default_name() -> None:
    sweep = ["-m", "seed=0,1"]
    assert default_study([*sweep, "on_code_change=retrain"]) == default_study(sweep)


def test_a_wrong_value_is_named(command: Command, capsys: pytest.CaptureFixture[str], here: Path) -> None:
    assert command("train", "study.on_code_change=retrian", *TINY) == 1
    assert (
        "on_code_change=retrian is not allowed: error, warn, retrain. Did you mean retrain?" in capsys.readouterr().err
    )
    assert runs(here) == []
