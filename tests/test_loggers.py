"""Loggers other than the CSV file that is always there."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cnnlab.loggers.csv import Curves
from cnnlab.loggers.weights_and_biases import why_offline
from conftest import TINY, runs
from wandb_files import records

Command = Callable[..., int]


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    monkeypatch.setenv("WANDB_SILENT", "true")


def wandb_runs(folder: Path) -> list[Any]:
    return [list(records(file)) for file in sorted((folder / "runs").glob("*/*/wandb/offline-run-*/*.wandb"))]


@pytest.mark.usefixtures("offline")
def test_wandb_has_one_run_per_cell_with_its_configuration_and_scores(command: Command, here: Path) -> None:
    assert command("train", "-m", "seed=0,1", "study=s", "logger=[wandb,tensorboard]", *TINY) == 0
    logged = wandb_runs(here)
    assert len(logged) == 2
    for records_of_run, folder in zip(logged, runs(here), strict=True):
        run = next(r.run for r in records_of_run if r.HasField("run"))
        assert (run.display_name, run.run_group, run.job_type) == (folder.name, "s", "train")
        assert set(run.tags) == {"lenet5", "digits"}
        config = {item.key: json.loads(item.value_json) for item in run.config.update}
        assert config["datamodule"]["batch_size"] == 16
        keys = {
            item.key or item.nested_key[0] for r in records_of_run if r.HasField("history") for item in r.history.item
        }
        assert {"train/loss", "val/accuracy", "test/accuracy"} <= keys
        assert next(r.exit.exit_code for r in records_of_run if r.HasField("exit")) == 0


@pytest.mark.usefixtures("offline")
def test_wandb_says_that_it_is_offline_and_how_to_sync(command: Command, here: Path) -> None:
    assert command("train", "logger=wandb", *TINY) == 0
    log = (runs(here)[0] / "train.log").read_text()
    assert "no key: wandb login" in log
    assert "wandb sync" in log


@pytest.mark.usefixtures("offline")
def test_wandb_shows_a_failed_cell_as_failed(command: Command, here: Path) -> None:
    assert command("train", "logger=wandb", "optim=sgd", "optim.lr=1e9", *TINY) == 1
    assert next(r.exit.exit_code for r in wandb_runs(here)[0] if r.HasField("exit")) == 1


@pytest.mark.usefixtures("offline")
def test_an_unreachable_server_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "x" * 40)
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    assert "no connection to 127.0.0.1" in (why_offline() or "")


@pytest.mark.usefixtures("offline")
def test_wandb_mode_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert why_offline() == "WANDB_MODE=offline"


def test_curves_keep_test_scores_out(tmp_path: Path) -> None:
    curves = Curves(tmp_path / "metrics.csv", epochs=0)
    curves.log_metrics({"epoch": 0, "val/accuracy": 0.5}, 10)
    curves.log_metrics({"epoch": 0, "test/accuracy": 0.4}, 10)
    curves.save()
    assert (tmp_path / "metrics.csv").read_text() == "epoch,step,val/accuracy\n0,10,0.5\n"


def test_best_row_is_the_last_of_those_that_tie(tmp_path: Path) -> None:
    curves = Curves(tmp_path / "metrics.csv", epochs=0)
    for epoch, accuracy in enumerate([0.5, 0.7, 0.7, 0.6]):
        curves.log_metrics({"epoch": epoch, "val/accuracy": accuracy})
    assert curves.best()["epoch"] == 2
