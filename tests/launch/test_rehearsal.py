"""Before the first cell starts, and instead of it: `cnnlab plan`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cnnlab.errors import UserError
from cnnlab.launch.rehearsal import Rehearsed as Seen
from cnnlab.launch.rehearsal import kind, require_disk, seconds_of
from conftest import TINY, compose_config, runs

Command = Callable[..., int]


def result(**more: object) -> dict[str, object]:
    cost = {"step_seconds": 0.5, "validation_step_seconds": 2.0, "fit_seconds": 3.0}
    return {"cost": cost, "data": {"images": {"train": 1000, "val": 200, "test": 350}}, **more}


def test_cells_that_differ_in_numbers_only_are_of_one_kind() -> None:
    one = compose_config("seed=1", "optim.lr=0.1", "regularizer.dropout=0.2", "trainer.max_epochs=3")
    other = compose_config("seed=2", "optim.lr=0.2", "regularizer.dropout=0.5", "trainer.max_epochs=9")
    assert kind(one) == kind(other)


@pytest.mark.parametrize("word", ["model=nin", "regularizer.dropout=0.5", "optim=sgd", "datamodule.batch_size=16"])
def test_cells_that_do_other_work_are_of_another_kind(word: str) -> None:
    assert kind(compose_config()) != kind(compose_config(word))


def test_seconds_are_those_of_steps_and_judged_images() -> None:
    config = compose_config("trainer.max_epochs=4", "datamodule.batch_size=100")
    # 10 steps an epoch; a batch of 100 was validated in 2 s; 200 images 4 times, 350 once; 1.5 s around the training
    predicted = seconds_of(Seen(result=result(), seconds=4.5), config)
    assert predicted == pytest.approx(4 * 10 * 0.5 + (4 * 200 + 350) * 0.02 + 1.5)


def test_a_full_disk_is_an_error_before_anything_starts(tmp_path: Path) -> None:
    require_disk(1000, tmp_path / "not" / "there")
    with pytest.raises(UserError, match="need about 9313225"):
        require_disk(10**16, tmp_path / "not" / "there")


@pytest.mark.slow
def test_what_would_fail_later_fails_before_the_first_cell(
    trouble: Path, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("train", "-m", "model=lenet5,trouble", "+what=raises", "seed=0,1", "study=s", *TINY) == 1
    said = capsys.readouterr().err
    assert "trouble-none-adam-digits-s1" in said
    assert "it went wrong" in said
    assert "Nothing was trained" in said
    assert not runs(trouble)


@pytest.mark.slow
def test_a_process_that_is_killed_by_its_first_batch_is_told(
    trouble: Path, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("train", "-m", "model=trouble", "+what=killed", "seed=0,1", "study=s", *TINY) == 1
    assert "SIGKILL" in capsys.readouterr().err
    assert not runs(trouble)


@pytest.mark.slow
def test_a_loss_that_begins_far_from_chance_is_told(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["model.init=gaussian", "model.init_std=1", "seed=0,1", *TINY, "trainer.max_epochs=1", "optim.lr=1e-9"]
    command("train", "-m", *words)
    assert "ln 10 = 2.30 is to be expected" in capsys.readouterr().out


@pytest.mark.slow
def test_plan_trains_nothing_and_says_what_would_be_trained(
    here: Path, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["study=s", "optim=sgd,adam", "seed=0,1", *TINY]
    assert command("train", "-m", "study=s", "optim=sgd", "seed=0", *TINY) == 0
    before = sorted(here.rglob("*"))
    capsys.readouterr()
    assert command("plan", *words, "regularizer.dropout=0,0.0") == 0
    said = capsys.readouterr().out
    assert "8 cells: 1 done, 4 duplicate, 3 new" in said.replace("3 new, 4 duplicate", "4 duplicate, 3 new")
    assert "61.7 k" in said
    assert "predicted: " in said
    assert sorted(here.rglob("*")) == before


@pytest.mark.slow
def test_plan_lists_what_is_illegal_and_exits_with_1(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("plan", "optim.lr=0.1,-1", "seed=0,1", *TINY, "hydra.launcher.rehearse=false") == 1
    said = capsys.readouterr()
    assert "2 cells: 2 new, 2 illegal" in said.out
    assert "optim.lr=-1: it must be greater than 0" in said.err


@pytest.mark.slow
def test_what_is_excluded_is_neither_composed_nor_recorded(here: Path, command: Command) -> None:
    words = ["optim=sgd,adam", "seed=0,1", "ablation.exclude=['seed == 1 and optim.lr > 0.05']"]
    assert command("train", "-m", "study=s", *words, *TINY) == 0
    assert len(runs(here)) == 3
    assert len(json.loads((here / "runs" / "s" / "study.json").read_text())["cells"]) == 3


def test_an_ablation_without_m_is_refused(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("train", "ablation=random_search") == 1
    assert "add -m" in capsys.readouterr().err
