"""`cnnlab plan --wandb-sweep`: the file, and the commands that W&B's agents make of it."""

import os
import subprocess
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from wandb.sdk.launch.sweeps.utils import create_sweep_command, create_sweep_command_args

from cnnlab.run import Run
from conftest import TINY, runs

Command = Callable[..., int]


def written(here: Path) -> dict[str, Any]:
    (file,) = here.glob("wandb-sweep-*.yaml")
    told: dict[str, Any] = yaml.safe_load(file.read_text())
    return told


def command_of(sweep: dict[str, Any], values: dict[str, Any]) -> list[str]:
    """As W&B's agent makes it."""
    macros = create_sweep_command_args({"args": {key: {"value": value} for key, value in values.items()}})
    macros["program"] = [sweep["program"]]
    words: list[str] = []
    for word in create_sweep_command(list(sweep["command"])):
        words += macros[word[2:-1]] if word.startswith("${") else [word]
    return words


def test_a_product_becomes_a_grid(command: Command, here: Path) -> None:
    words = ["model=lenet5,nin", "regularizer=none,[none,dropout]", "seed=range(2)", "optim.lr=1e-4,0.1", "test=false"]
    assert command("plan", "--wandb-sweep", "study=s", *words) == 0
    sweep = written(here)
    assert (sweep["method"], sweep["project"], sweep["name"]) == ("grid", "cnnlab", "s")
    assert sweep["metric"] == {"name": "val/accuracy", "goal": "maximize"}
    assert {key: told["values"] for key, told in sweep["parameters"].items()} == {
        "model": ["lenet5", "nin"],
        "regularizer": ["none", "[none,dropout]"],
        "seed": [0, 1],
        "optim.lr": [1e-4, 0.1],
    }
    values = {"model": "nin", "regularizer": "[none,dropout]", "seed": 1, "optim.lr": 1e-4}
    drawn = ["model=nin", "regularizer=[none,dropout]", "seed=1", "optim.lr=0.0001"]
    assert command_of(sweep, values) == ["cnnlab", "train", "test=false", "logger=wandb", "study=s", *drawn]
    assert not (here / "runs").exists()


def test_intervals_become_distributions(command: Command, here: Path) -> None:
    words = ["optim.lr=tag(log,interval(1e-4,0.1))", "regularizer.dropout=interval(0,0.6)"]
    assert command("plan", "--wandb-sweep", "study=s", "ablation=random_search", *words, "seed=0,1") == 0
    sweep = written(here)
    assert (sweep["method"], sweep["run_cap"]) == ("random", 20)
    assert sweep["parameters"] == {
        "seed": {"values": [0, 1]},
        "optim.lr": {"distribution": "log_uniform_values", "min": 1e-4, "max": 0.1},
        "regularizer.dropout": {"distribution": "uniform", "min": 0.0, "max": 0.6},
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ablation=leave_one_out"], "ablation.leave_out"),
        (["model=lenet5"], "nothing is swept"),
        (["optim.lr=0.1,-1"], "optim.lr=-1"),
        (["tune=lr", "optim=sgd,adam"], "tune"),
    ],
)
def test_what_cannot_be_swept_there_is_said(
    command: Command, here: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert command("plan", "--wandb-sweep", *words) == 1
    assert said in capsys.readouterr().err
    assert not list(here.iterdir())


@pytest.mark.slow
def test_agents_train_the_cells_of_the_study(command: Command, here: Path) -> None:
    assert command("plan", "--wandb-sweep", "study=s", "optim=sgd,adam", "seed=range(2)", *TINY) == 0
    sweep = written(here)
    keys, lists = list(sweep["parameters"]), [told["values"] for told in sweep["parameters"].values()]
    for values in product(*lists):
        _, *words = command_of(sweep, dict(zip(keys, values, strict=True)))
        environment = {**os.environ, "WANDB_MODE": "offline"}
        subprocess.run([sys.executable, "-m", "cnnlab", *words], cwd=here, env=environment, check=True)
    assert len(runs(here)) == 4
    assert all(Run(folder).done and folder.parent.name == "s" for folder in runs(here))
    assert len(list(here.glob("runs/s/*/wandb/offline-run-*/*.wandb"))) == 4
