"""What W&B is told of runs, read back from what it writes offline."""

import csv
import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import wandb
from omegaconf import OmegaConf

from cnnlab.classifier import Classifier
from cnnlab.loggers import wandb_server
from cnnlab.loggers.flat import dotted
from cnnlab.loggers.unfailing import counted
from cnnlab.loggers.wandb_begin import begin
from cnnlab.loggers.wandb_identity import run_id, typed
from cnnlab.loggers.wandb_server import why_offline
from cnnlab.run import Run
from conftest import TINY, compose_config, runs
from wandb_files import files, read
from wandb_stub import Stub, stub

Command = Callable[..., int]


@pytest.fixture(autouse=True)
def own_wandb(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """W&B as if this were a process of its own, without a key."""
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    wandb.teardown()
    yield
    wandb.teardown()


@pytest.fixture
def silent_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One that accepts connections and never answers."""
    server = socket.create_server(("127.0.0.1", 0))
    monkeypatch.setenv("WANDB_API_KEY", "x" * 40)
    monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{server.getsockname()[1]}")
    with server:
        yield


def test_a_run_is_told_from_its_first_words_to_its_last(command: Command, here: Path) -> None:
    assert command("train", "study=s", "logger=wandb", "regularizer=[none,dropout,batch_norm]", *TINY) == 0
    (folder,) = runs(here)
    (file,) = files(here)
    logged = read(file)
    run, result = logged.run, Run(folder).result()
    assert run.run_id.startswith(folder.name[-8:])
    assert (run.display_name, run.run_group, run.job_type, run.project) == (folder.name, "s", "train", "cnnlab")
    assert set(run.tags) == {"lenet5", "adam", "digits", "batch_norm", "dropout"}
    config = OmegaConf.to_container(OmegaConf.load(folder / ".hydra" / "config.yaml"))
    assert logged.config.items() >= dict(dotted(config)).items()
    assert logged.config["regularizers"] == "batch-dropout0.5"
    assert logged.axes["train/*"] == logged.axes["val/*"] == logged.axes["test/*"] == "epoch"
    assert {"epoch", "trainer/global_step"} <= set(logged.axes)
    assert_curves(file, folder)
    assert logged.summary["state"] == "done"
    assert logged.summary["best/epoch"] == result["metrics"]["epoch"] + 1
    for name, value in result["metrics"].items():
        of_test = name.startswith("test/")
        assert name in ("step", "epoch") or logged.summary[name if of_test else f"best/{name}"] == pytest.approx(value)
    with (folder / "metrics.csv").open(newline="") as table:
        *_, last = csv.DictReader(table)
    shown = counted({name: float(value) for name, value in last.items() if name != "step"})
    assert {name: logged.summary[name] for name in shown} == pytest.approx(shown)
    assert "step" not in logged.summary
    assert all(logged.summary[f"cost/{name}"] == value for name, value in result["cost"].items())
    assert {"stats", "output_raw"} <= logged.kinds  # the machine's metrics, and what the run has said
    assert logged.exit_code == 0
    log = (folder / "train.log").read_text()
    assert log.count("W&B") == 1
    assert f"W&B is offline (no key: wandb login). Later: wandb sync {file.parent.relative_to(here)}" in log


def assert_curves(file: Path, folder: Path) -> None:
    """Each epoch's values are those of metrics.csv, once; epochs are counted from 1, and the test adds none."""
    told: dict[tuple[str, int], list[float]] = {}
    history = read(file).history
    for row in history:
        for name, value in row.items():
            if name.startswith(("train/", "val/")):
                told.setdefault((name, row["epoch"]), []).append(value)
    with (folder / "metrics.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    expected = {(str(k), int(row["epoch"]) + 1): [float(v)] for row in rows for k, v in row.items() if "/" in k}
    assert told.keys() == expected.keys()
    assert {row["epoch"] for row in history if "epoch" in row} == {epoch for _, epoch in expected}
    assert all(values == pytest.approx(expected[key]) for key, values in told.items())


def test_nothing_listens_and_the_reason_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "x" * 40)
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    assert "no connection to http://127.0.0.1:9: " in (why_offline() or "")


@pytest.mark.usefixtures("silent_server")
def test_a_server_that_never_answers_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wandb_server, "PATIENCE", 0.5)
    assert "has not answered" in (why_offline() or "")


def test_wandb_mode_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert why_offline() == "WANDB_MODE=offline"


def test_the_same_cell_of_another_study_is_another_run(tmp_path: Path) -> None:
    folders = [tmp_path / study / "lenet5-s0-01234567" for study in ("a", "b")]
    for folder in folders:
        folder.mkdir(parents=True)
    ids = [run_id(folder, {}) for folder in folders]
    assert ids[0] != ids[1]
    (tmp_path / "a").rename(tmp_path / "c")
    assert run_id(tmp_path / "c" / "lenet5-s0-01234567", {}) == ids[0]


def test_tags_are_what_one_types() -> None:
    config = compose_config("model=vgg11", "regularizer=[none,label_smoothing,weight_decay]", "optim=nesterov")
    assert typed(config) == ["vgg11", "sgd", "digits", "weight_decay", "label_smoothing"]
    assert "no_regularizer" in typed(compose_config("regularizer=none"))


@pytest.mark.parametrize("word", ["watch=weights", "tags=[a,'']"])
def test_a_wrong_value_is_named_before_anything_is_trained(
    command: Command, here: Path, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    assert command("train", "logger=wandb", f"logger.wandb.{word}", *TINY) == 1
    assert f"logger.wandb.{word.partition('=')[0]}" in capsys.readouterr().err
    assert not (here / "runs").exists()


@pytest.mark.slow
def test_a_grid_has_a_run_for_each_cell(command: Command, here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert command("train", "-m", "seed=0,1", "optim=sgd,adam", "study=s", "logger=[csv,wandb]", *TINY) == 0
    logged = [read(file) for file in files(here)]
    assert "W&B: 4 runs are offline. Later: wandb sync runs/s/*/wandb/offline-run-*" in capfd.readouterr().out
    assert [one.run.display_name for one in logged] == [folder.name for folder in runs(here)]
    assert len({one.run.run_id for one in logged}) == 4
    assert {(one.config["seed"], one.config["optim._target_"]) for one in logged} == {
        (seed, f"torch.optim.{name}") for seed in (0, 1) for name in ("SGD", "Adam")
    }
    assert {(one.exit_code, one.run.run_group, one.summary["state"]) for one in logged} == {(0, "s", "done")}


@pytest.mark.slow
def test_of_two_processes_only_the_first_logs(command: Command, here: Path) -> None:
    assert command("train", "trainer=ddp_cpu", "logger=[wandb,tensorboard]", *TINY) == 0
    (file,) = files(here)
    assert_curves(file, runs(here)[0])
    assert read(file).exit_code == 0
    assert len({path.name.split(".")[-2] for path in runs(here)[0].glob("tensorboard/events.*")}) == 1  # process


@pytest.mark.slow
def test_a_diverged_cell_is_shown_as_failed(command: Command, here: Path) -> None:
    assert command("train", "logger=wandb", "optim=sgd", "optim.lr=1e9", *TINY) == 1
    logged = read(files(here)[0])
    assert logged.exit_code == 1
    assert logged.summary["state"] == "diverged"
    assert "smaller optim.lr" in logged.summary["error"]


@pytest.mark.slow
def test_a_cell_that_fails_is_shown_as_failed(trouble: Path, command: Command) -> None:
    words = ["model=trouble", "+what=raises", "seed=1", "study=s", "logger=wandb", "hydra.launcher.rehearse=false"]
    assert command("train", "-m", *words, *TINY) == 1
    logged = read(files(trouble)[0])
    assert (logged.exit_code, logged.summary["state"]) == (1, "failed")


@pytest.mark.slow
def test_an_interrupted_cell_goes_on_in_its_run(command: Command, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["train", "study=s", "logger=wandb", *TINY, "trainer.max_epochs=3"]
    step = Classifier.training_step

    def interrupt(self: Classifier, batch: object, batch_idx: int) -> object:
        if self.current_epoch == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return step(self, batch, batch_idx)  # type: ignore[arg-type]

    with monkeypatch.context() as once:
        once.setattr(Classifier, "training_step", interrupt)
        assert command(*words) == 143
    assert command(*words) == 0
    first, second = (read(file) for file in files(here))
    assert first.run.run_id == second.run.run_id
    assert (first.exit_code, first.summary["state"]) == (143, "interrupted")
    assert (second.exit_code, second.summary["state"]) == (0, "done")
    assert_curves(files(here)[1], runs(here)[0])  # the whole curve, whatever becomes of the first file


@pytest.mark.slow
@pytest.mark.usefixtures("silent_server")
def test_with_a_server_that_never_answers_a_run_finishes_and_can_be_synced(command: Command, here: Path) -> None:
    began = time.monotonic()
    reason = why_offline()
    assert reason is not None
    assert time.monotonic() - began < 10
    assert command("train", "logger=wandb", *TINY) == 0
    (file,) = files(here)
    assert read(file).exit_code == 0
    assert "has not answered" in (runs(here)[0] / "train.log").read_text()


@pytest.mark.slow
def test_a_run_goes_on_without_wandbs_service(command: Command, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = Classifier.on_train_epoch_start

    def kill(self: Classifier) -> None:
        if self.current_epoch == 1:
            for child in psutil.Process().children():
                if child.name().startswith("wandb"):
                    child.kill()
        start(self)

    monkeypatch.setattr(Classifier, "on_train_epoch_start", kill)
    assert command("train", "logger=wandb", "logger.wandb.watch=gradients", *TINY) == 0
    assert Run(runs(here)[0]).done
    assert (runs(here)[0] / "train.log").read_text().count("WandbLogger failed") == 1
    with pytest.raises(ConnectionResetError):
        wandb.teardown()


@pytest.mark.slow
def test_histograms_checkpoint_and_code_where_they_are_asked_for(command: Command, here: Path) -> None:
    (here / "own.py").write_text("x = 1\n")
    asked = ["watch=all", "watch_freq=4", "log_model=true", "log_code=true"]
    assert command("train", "logger=wandb", *(f"logger.wandb.{word}" for word in asked), *TINY) == 0
    logged = read(files(here)[0])
    groups = {name.partition("/")[0] for row in logged.history for name in row}
    assert {"gradients", "parameters"} <= groups
    assert "artifact" in logged.kinds


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    with stub() as told:
        monkeypatch.setenv("WANDB_API_KEY", "x" * 40)
        monkeypatch.setenv("WANDB_BASE_URL", told.address)
        yield told


@pytest.mark.slow
def test_with_a_server_a_run_is_told_to_it(command: Command, here: Path, server: Stub) -> None:
    assert command("train", "study=s", "logger=wandb", *TINY) == 0
    (folder,) = runs(here)
    first = server.upserts[0]
    assert first["name"].startswith(folder.name[-8:])
    assert (first["displayName"], first["groupName"], first["jobType"]) == (folder.name, "s", "train")
    assert json.loads(first["config"])["optim.lr"] == {"value": 0.001}
    assert server.exit_codes == [0]
    rows = [json.loads(line) for line in server.streamed["wandb-history.jsonl"]]
    with (folder / "metrics.csv").open(newline="") as table:
        expected = [float(row["val/accuracy"]) for row in csv.DictReader(table)]
    assert [row["val/accuracy"] for row in rows if "val/accuracy" in row] == pytest.approx(expected)
    assert "RunResumeStatus" not in server.questions  # what an attempt before has sent is replaced


@pytest.mark.slow
def test_a_server_that_falls_silent_delays_the_end_only(
    command: Command, here: Path, server: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = Classifier.on_train_epoch_start

    def silence(self: Classifier) -> None:
        server.silent.set()
        start(self)

    monkeypatch.setattr(Classifier, "on_train_epoch_start", silence)
    began = time.monotonic()
    assert command("train", "logger=wandb", "logger.wandb.finish_timeout=3", *TINY) == 0
    assert time.monotonic() - began < 60
    (folder,) = runs(here)
    assert Run(folder).done
    (file,) = folder.glob("wandb/run-*/*.wandb")  # wandb sync takes it
    assert_curves(file, folder)


@pytest.mark.slow
def test_a_run_that_its_server_refuses_is_written_offline(
    command: Command, here: Path, server: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = server.answer

    def refuse(path: str, body: dict[str, Any]) -> dict[str, Any]:
        if "upsertBucket" in body.get("query", ""):
            return {"errors": [{"message": "permission denied"}], "data": {"upsertBucket": None}}
        return answer(path, body)

    monkeypatch.setattr(server, "answer", refuse)
    assert command("train", "logger=wandb", *TINY) == 0
    (file,) = files(here)
    assert read(file).exit_code == 0
    assert_curves(file, runs(here)[0])
    assert "W&B is offline (" in (runs(here)[0] / "train.log").read_text()


@pytest.mark.slow
def test_a_run_goes_on_in_its_servers_run_and_one_that_begins_anew_replaces_it(
    command: Command, server: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = Classifier.on_train_epoch_start

    def stop(self: Classifier) -> None:
        if self.current_epoch == 1:
            raise SystemExit(143)
        start(self)

    with monkeypatch.context() as once:
        once.setattr(Classifier, "on_train_epoch_start", stop)
        assert command("train", "study=s", "logger=wandb", *TINY) == 143
    assert "RunResumeStatus" not in server.questions
    assert command("train", "study=s", "logger=wandb", *TINY) == 0
    assert server.questions.count("RunResumeStatus") == 1
    assert len({told["name"] for told in server.upserts}) == 1
    assert server.exit_codes == [143, 0]


@pytest.mark.slow
def test_a_server_that_falls_silent_at_the_beginning_costs_ten_seconds_at_most(
    tmp_path: Path, server: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = server.answer

    def once(path: str, body: dict[str, Any]) -> dict[str, Any]:
        server.silent.set()
        return answer(path, body)

    monkeypatch.setattr(server, "answer", once)
    folder = tmp_path / "s" / "lenet5-01234567"
    folder.mkdir(parents=True)
    began = time.monotonic()
    about: dict[str, Any] = {"project": "p", "entity": None, "group": "s", "tags": []}
    run = begin(folder, compose_config("logger=wandb"), False, False, 60, **about)
    seconds = time.monotonic() - began
    run.finish()
    assert seconds < 12  # which leaves a busy machine two
    assert list(folder.glob("wandb/offline-run-*/*.wandb"))
