"""Sweeps: every cell in its folder, whatever happens to the others."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cnnlab.sweep.arguments import default_study
from conftest import TINY, runs

Command = Callable[..., int]


def states(folder: Path) -> list[str]:
    return [json.loads((run / "status.json").read_text())["state"] for run in runs(folder)]


@pytest.mark.slow
def test_lists_of_regularizers_are_cells(command: Command, here: Path) -> None:
    assert command("train", "-m", "regularizer=none,[none,dropout],all", "seed=range(2)", *TINY) == 0
    assert states(here) == ["done"] * 6
    assert len({run.parent for run in runs(here)}) == 1


def test_a_failing_cell_does_not_stop_the_rest(
    command: Command, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = "datamodule.image_size=32,8,28"  # LeNet-5 needs 20 pixels
    assert command("train", "-m", sizes, "study=s", "hydra.launcher.rehearse=false", *TINY) == 1
    assert sorted(states(here)) == ["done", "done", "failed"]
    assert "image_size=8 is too small for LeNet-5" in capsys.readouterr().err


def test_the_same_command_goes_on(command: Command, here: Path) -> None:
    command("train", "-m", "seed=0,1", "study=s", *TINY)
    written = {run: (run / "result.json").stat().st_mtime_ns for run in runs(here)}
    assert command("train", "-m", "seed=0,1,2", "study=s", *TINY) == 0
    assert len(runs(here)) == 3
    assert all((run / "result.json").stat().st_mtime_ns == when for run, when in written.items())


def test_an_illegal_cell_stops_the_sweep_before_it_starts(command: Command, here: Path) -> None:
    assert command("train", "-m", "optim.lr=0.001,-1", *TINY) == 1
    assert runs(here) == []


def test_equal_cells_are_trained_once(command: Command, here: Path) -> None:
    assert command("train", "-m", "optim.lr=0.001,1e-3", *TINY) == 0
    assert len(runs(here)) == 1


def test_a_sweep_without_study_is_named_by_what_it_sweeps() -> None:
    name = default_study(["-m", "model=lenet5,resnet20", "seed=range(3)", "optim.lr=0.1"])
    assert name is not None
    assert name.startswith("model-seed-")


@pytest.mark.parametrize(("arguments", "name"), [(["ablation=transfer"], "transfer-"), (["seed=0"], "sweep-")])
def test_a_studys_default_name_is_no_number(arguments: list[str], name: str) -> None:
    found = default_study(["-m", *arguments])
    assert found is not None
    assert found.startswith(name)


@pytest.mark.parametrize("arguments", [["seed=1"], ["-m", "seed=0,1", "study=mine"]])
def test_only_an_unnamed_sweep_gets_a_name(arguments: list[str]) -> None:
    assert default_study(arguments) is None


@pytest.mark.slow
def test_options_may_follow_the_overrides(command: Command) -> None:
    assert command("train", "-m", "seed=0", *TINY, "--config-name", "train") == 0


def test_the_order_of_overrides_does_not_change_the_study() -> None:
    assert default_study(["-m", "seed=0,1", "model=a,b"])[-6:] == default_study(["model=a,b", "seed=0,1", "-m"])[-6:]  # type: ignore[index]


@pytest.mark.slow
def test_twelve_cells_leave_twelve_complete_folders(command: Command, here: Path) -> None:
    grid = ["model=lenet5,resnet20", "regularizer=none,[none,dropout],all", "seed=range(2)", "trainer.max_epochs=2"]
    assert command("train", "-m", *grid) == 0
    assert states(here) == ["done"] * 12
    assert all((run / "result.json").exists() for run in runs(here))
