"""Loggers whose server, disk or configuration does not work: training goes on, and says so."""

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

from cnnlab.loggers import mlflow_server
from cnnlab.loggers.csv import Curves
from cnnlab.loggers.mlflow_server import require_answer
from cnnlab.loggers.tensorboard import begin
from cnnlab.loggers.unfailing import FAILED, Unfailing, counted
from cnnlab.look.loggers import hand_over
from cnnlab.run import Run
from conftest import TINY, runs

Command = Callable[..., int]


class Breaking(Curves):
    """A logger whose experiment is gone."""

    asked = 0

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        self.asked += 1
        raise OSError("no space left")

    def log_image(self, *_: Any, **__: Any) -> None:
        self.asked += 1
        raise ConnectionError("the artifact store is gone")


class Careful(Unfailing, Breaking):
    """The same, held."""


@pytest.fixture
def careful(tmp_path: Path) -> Careful:
    logger = Careful(tmp_path / "none", epochs=0)
    logger.folder = tmp_path
    return logger


def test_a_logger_that_fails_is_told_once_and_used_no_more(
    careful: Careful, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    careful.log_metrics({"epoch": 0})
    careful.log_metrics({"epoch": 1})
    assert careful.asked == 1
    assert [record.message.partition(";")[0] for record in caplog.records] == [
        "Breaking failed (OSError: no space left)"
    ]
    assert (tmp_path / FAILED).read_text() == "Breaking: OSError: no space left\n"


def test_a_logger_that_has_failed_is_closed_all_the_same(careful: Careful) -> None:
    careful.log_metrics({"epoch": 0})
    closed: list[bool] = []
    careful.attempt(closed.append, True, last=True)
    assert closed == [True]


def test_a_picture_that_a_logger_cannot_take_ends_no_training(
    careful: Careful, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    hand_over([careful], "filters", tmp_path / "filters.png", 3)
    assert "the artifact store is gone" in caplog.text


def test_tensorboard_without_room_ends_no_training(
    command: Command, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(SummaryWriter, "add_scalar", full)
    assert command("train", "logger=tensorboard", *TINY) == 0
    (folder,) = runs(here)
    assert Run(folder).done
    assert (folder / "train.log").read_text().count("No space left on device") == 1


def test_tensorboard_shows_no_step_twice_that_was_trained_again(tmp_path: Path) -> None:
    curves = Curves(tmp_path / "metrics.csv", epochs=0)
    first = begin(tmp_path, curves)
    for epoch in (0, 1):
        first.log_metrics({"epoch": epoch, "val/accuracy": 0.5}, 10 * epoch + 9)
    curves.log_metrics({"epoch": 0, "val/accuracy": 0.5}, 9)  # the checkpoint is of that epoch
    again = begin(tmp_path, curves)
    again.log_metrics({"epoch": 1, "val/accuracy": 0.6}, 19)
    read = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [(event.step, round(event.value, 3)) for event in read.Scalars("val/accuracy")] == [(9, 0.5), (19, 0.6)]
    assert [event.value for event in read.Scalars("epoch")] == [1, 2]


def test_the_test_adds_no_epoch() -> None:
    assert counted({"epoch": 4, "val/loss": 1.0})["epoch"] == counted({"epoch": 5, "test/loss": 1.0})["epoch"] == 5


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_silent_mlflow_server_is_not_waited_for(silent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlflow_server, "LIMITS", {})
    monkeypatch.setattr(mlflow_server, "PATIENCE", 0.5)
    began = time.monotonic()
    with pytest.raises(ConnectionError, match=r"has not answered for 0\.5 seconds"):
        require_answer(silent)
    assert time.monotonic() - began < 3


def test_an_mlflow_server_that_is_not_there_costs_seconds_and_a_line(
    command: Command, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in mlflow_server.LIMITS:
        monkeypatch.setenv(name, "1")
    with socket.create_server(("127.0.0.1", 0)) as server:
        nobody = f"http://me:word@127.0.0.1:{server.getsockname()[1]}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", nobody)
    began = time.monotonic()
    assert command("train", "logger=mlflow", *TINY) == 0
    assert time.monotonic() - began < 30
    said = (runs(here)[0] / "train.log").read_text()
    assert "MLflow cannot be used (ConnectionError: no connection to http://127.0.0.1" in said
    assert "urllib3" not in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["logger=wandb", "logger.wandb.project=a/b"], "logger.wandb.project=a/b: it must not"),
        (["logger=wandb", "logger.wandb.entity=a/b"], "logger.wandb.entity=a/b: it names a user"),
        (["logger=mlflow", "logger.mlflow.tracking_uri=nonsense://x"], "tracking_uri=nonsense://x: it must begin with"),
    ],
)
def test_what_a_logger_would_refuse_is_refused_before_anything_is_trained(
    words: list[str], said: str, command: Command, here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert command("train", *words, *TINY) == 1
    assert said in capfd.readouterr().err
    assert not runs(here)


def test_a_sweep_whose_logger_failed_says_so_last(
    command: Command, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        nobody = f"http://127.0.0.1:{server.getsockname()[1]}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", nobody)
    words = ["study=s", "logger=mlflow", "seed=0,1", "hydra.launcher.rehearse=false"]
    assert command("train", "-m", *words, *TINY) == 0
    *_, last = capfd.readouterr().out.splitlines()
    assert last.startswith(f"MLflow failed in 2 cells (ConnectionError: no connection to {nobody}")
