"""Checkpoints that are whole, and of another run or with other parts; a metrics.csv that is damaged."""

import json
import logging
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from cnnlab.checkpoint_parts import mark
from cnnlab.checkpoints import WholeFiles, begin
from cnnlab.errors import UserError
from cnnlab.launch.cell import train_cell
from cnnlab.run import Run
from conftest import TINY, compose_config
from interruptions import assert_same, train_to
from test_checkpoints import saved

CPU = [*TINY, "trainer.accelerator=cpu"]
LAST = "checkpoints/last.ckpt"


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two epochs that nothing happened to."""
    folder = tmp_path_factory.mktemp("undisturbed")
    train_cell(compose_config(*CPU), folder, [])
    return folder


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, ended in its second epoch."""
    folder = tmp_path_factory.mktemp("interrupted")
    with pytest.MonkeyPatch.context() as monkeypatch:
        train_to(("train", 1, 3), compose_config(*CPU), folder, monkeypatch)
    return folder


@pytest.fixture
def run(interrupted: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(interrupted, tmp_path / "run"))


def change(file: Path, **parts: Any) -> None:
    """Other parts in a checkpoint, whose checksums are right; None: without it."""
    content = torch.load(file, weights_only=True)
    content = {key: value for key, value in {**content, **parts}.items() if value is not None}
    torch.save(content, file)


@pytest.mark.parametrize("words", [["seed=1"], ["optim.lr=0.5"], ["model.activation=tanh"]])
def test_another_cells_checkpoint_is_passed_over(words: list[str], tmp_path: Path, caplog: Any) -> None:
    own, other = mark(compose_config(*CPU)), mark(compose_config(*CPU, *words))
    for batches, cell in enumerate((own, other)):
        WholeFiles().save_checkpoint({**saved(batches), "cell": cell}, tmp_path / "last.ckpt")
    with caplog.at_level(logging.WARNING):
        begun = begin(tmp_path, cell=own)
    assert begun is not None
    assert (begun.file.name, begun.batches) == ("previous.ckpt", 0)
    assert f"last.ckpt is passed over: ValueError: it is of cell {other['name']}" in caplog.text


def test_another_cells_best_weights_are_not_taken(tmp_path: Path, caplog: Any) -> None:
    own, other = mark(compose_config(*CPU)), mark(compose_config(*CPU, "seed=1"))
    WholeFiles().save_checkpoint({**saved(1, score=0.5), "cell": own}, tmp_path / "last.ckpt")
    WholeFiles().save_checkpoint({**saved(1, score=0.5), "cell": other}, tmp_path / "best.ckpt")
    with caplog.at_level(logging.WARNING):
        assert begin(tmp_path, cell=own) is None
    assert f"best.ckpt: it is of cell {other['name']}" in caplog.text


@pytest.mark.parametrize(
    "words",
    [
        ["trainer.devices=2"],
        ["trainer.micro_batches=2"],
        ["datamodule.eval_batch_size=7"],
        ["datamodule.num_workers=3"],
        ["logger=tensorboard"],
    ],
)
def test_what_may_change_between_attempts_costs_no_checkpoint(words: list[str]) -> None:
    assert mark(compose_config(*CPU))["lineage"] == mark(compose_config(*CPU, *words))["lineage"]


def test_a_checkpoint_from_before_it_said_whose_it_is_goes_on(tmp_path: Path) -> None:
    WholeFiles().save_checkpoint(saved(1), tmp_path / "last.ckpt")
    assert begin(tmp_path, cell=mark(compose_config(*CPU))) is not None


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"state_dict": None}, "state_dict is missing"),
        ({"state_dict": {"weight": 1}}, "it has no weights in state_dict"),
        ({"loops": None}, "loops is missing"),
        ({"epoch": -1}, "epoch is -1"),
        ({"epoch": "3"}, r"epoch is of another kind \(str\)"),
        ({"position": {"batches": "x"}}, r"position.batches is of another kind \(str\)"),
        ({"optimizer_states": []}, "it has the state of 0 optimizers"),
        ({"optimizer_states": [{}]}, "optimizer_states.state is missing"),
        ({"callbacks": {}}, "callbacks.best.ckpt is missing"),
        ({"curves": [{"epoch": 0}]}, "curves does not have each epoch's row"),
        ({"cell": "mine"}, r"cell is of another kind \(str\)"),
    ],
)
def test_a_checkpoint_with_odd_parts_is_passed_over(
    parts: dict[str, Any], said: str, tmp_path: Path, caplog: Any
) -> None:
    for batches, odd in enumerate(({}, parts)):
        WholeFiles().save_checkpoint({**saved(batches), **odd}, tmp_path / "last.ckpt")
    with caplog.at_level(logging.WARNING):
        begun = begin(tmp_path, cell=mark(compose_config(*CPU)))
    assert begun is not None
    assert begun.file.name == "previous.ckpt"
    assert re.search(said, caplog.text)


@pytest.mark.parametrize("score", [None, 0.4])
def test_best_weights_that_are_older_than_the_checkpoint_are_not_taken(score: float | None, tmp_path: Path) -> None:
    WholeFiles().save_checkpoint(saved(1, score=0.5), tmp_path / "last.ckpt")
    WholeFiles().save_checkpoint(saved(1, score=score), tmp_path / "best.ckpt")
    assert begin(tmp_path) is None


def test_weights_of_another_shape_are_told_and_cost_no_checkpoint(run: Path) -> None:
    weights = torch.load(run / LAST, weights_only=True)["state_dict"]
    others = {name: torch.zeros(3) for name in weights}
    for name in ("last.ckpt", "best.ckpt"):
        change(run / "checkpoints" / name, state_dict=others)
    with pytest.raises(UserError, match=r"last.ckpt does not fit this run .*Delete it, and the same command goes on"):
        train_cell(compose_config(*CPU), run, [])
    assert Run(run).half_done


@pytest.mark.parametrize("name", [LAST, "checkpoints/best.ckpt", "metrics.csv"])
def test_a_folder_in_the_place_of_a_file_is_told_and_costs_no_checkpoint(name: str, run: Path) -> None:
    (run / name).unlink()
    (run / name).mkdir()
    with pytest.raises(UserError, match=rf"{name} is a folder: move it away"):
        train_cell(compose_config(*CPU), run, [])
    assert Run(run).half_done


DAMAGES: dict[str, Callable[[Path], Any]] = {
    "empty": lambda file: file.write_bytes(b""),
    "half": lambda file: file.write_bytes(file.read_bytes()[:100]),
    "binary": lambda file: file.write_bytes(b"\xff\xfe" + os.urandom(300)),
    "NUL": lambda file: file.write_bytes(bytes(200)),
    "a word": lambda file: file.write_text(file.read_text().replace("0,7", "x,7", 1)),
    "gone": lambda file: file.unlink(),
}


@pytest.mark.parametrize(
    "damage", ["half", *(pytest.param(how, marks=pytest.mark.slow) for how in DAMAGES if how != "half")]
)
def test_curves_are_restored_from_the_checkpoint(damage: str, run: Path, undisturbed: Path) -> None:
    DAMAGES[damage](run / "metrics.csv")
    train_cell(compose_config(*CPU), run, [])
    assert_same(undisturbed, run)


@pytest.mark.parametrize("damage", DAMAGES)
def test_of_a_checkpoint_without_curves_the_damaged_file_is_named(damage: str, run: Path) -> None:
    change(run / LAST, curves=None)
    DAMAGES[damage](run / "metrics.csv")
    with pytest.raises(UserError, match=r"metrics.csv: .*put the file back, or delete .*and the run begins anew"):
        train_cell(compose_config(*CPU), run, [])
    assert Run(run).half_done


def test_a_checkpoint_from_before_goes_on_to_the_last_bit(run: Path, undisturbed: Path) -> None:
    for name in ("last.ckpt", "previous.ckpt", "best.ckpt"):
        if (file := run / "checkpoints" / name).exists():
            callbacks = torch.load(file, weights_only=True)["callbacks"]
            del callbacks["best.ckpt"]["scores"]
            change(file, curves=None, cell=None, callbacks=callbacks)
    train_cell(compose_config(*CPU), run, [])
    assert_same(undisturbed, run)


def test_curves_that_were_lost_after_the_last_epoch_are_there_in_the_end(
    undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = compose_config(*CPU)
    train_to(("test", 0, 0), config, tmp_path, monkeypatch)
    (tmp_path / "metrics.csv").unlink()
    train_cell(config, tmp_path, [])
    assert_same(undisturbed, tmp_path)
    assert json.loads((tmp_path / "result.json").read_text())["metrics"]["train/accuracy"] > 0


def test_what_trainer_fast_turns_on_is_no_other_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is decided anew by each machine."""
    monkeypatch.setattr("cnnlab.fast.has_bf16", lambda _: True)
    monkeypatch.setattr("cnnlab.fast.SMALL", 0)
    config = compose_config(*CPU, "trainer.fast=true")
    train_to(("train", 1, 3), config, tmp_path, monkeypatch)
    begun = begin(tmp_path / "checkpoints", cell=mark(config))
    assert begun is not None
    assert begun.levers is not None
    assert begun.levers["precision"] == "bf16-mixed"
    assert (begun.file.name, begun.epochs, begun.batches) == ("last.ckpt", 1, 4)
