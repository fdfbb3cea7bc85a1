"""A trained network among what it was not made for: other data, another network's weights, several runs at once."""

import json
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from cnnlab.errors import UserError
from cnnlab.inference.eval_command import eval_command
from cnnlab.inference.robustness import robustness_table
from cnnlab.inference.trained import load_run
from cnnlab.inference.words import folder
from cnnlab.launch.cell import train_cell
from conftest import compose_config

NOISE = ["datamodule=synthetic", "datamodule.in_channels=1", "datamodule.mean=[0.5]", "datamodule.std=[0.25]"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("study") / "run"
    quick = ["trainer.max_epochs=1", "trainer.limit_train_batches=2", "trainer.limit_test_batches=1"]
    train_cell(compose_config("callbacks=quiet", *quick), where, [])
    return where


def test_other_data_are_tested_with_their_own_images(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    eval_command([f"run={run}", *NOISE, "datamodule.source.test_images=60", "shuffled_labels=true"])
    (file,) = (run / "eval" / "synthetic").glob("*.json")
    told = json.loads(file.read_text())
    assert told["images"] == 60
    assert told["shuffled_labels"].keys() >= {"mean", "std"}
    assert "with shuffled labels: accuracy" in capsys.readouterr().out


def test_weights_of_another_network_are_refused(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    config = tmp_path / "run" / ".hydra" / "config.yaml"
    config.write_text(config.read_text().replace("kernel: 5", "kernel: 3"))
    with pytest.raises(UserError, match="is not of the network that"):
        load_run(tmp_path / "run")


def test_corruptions_have_a_mean_where_there_are_several() -> None:
    console = Console(width=120)
    with console.capture() as said:
        console.print(robustness_table({"jpeg": [0.9, 0.8, 0.7, 0.6, 0.5], "gaussian_noise": [0.1] * 5}, 0.95))
    rows = [line.replace("│", " ").split() for line in said.get().splitlines()]
    assert any(row[-1:] == ["70.0"] and "jpeg" in row for row in rows)
    assert any(row[-1:] == ["40.0"] and "mean" in row for row in rows)


def test_some_commands_are_about_one_run_at_a_time() -> None:
    with pytest.raises(UserError, match="of one run at a time; these are 2"):
        folder("export", "[one,other]")
