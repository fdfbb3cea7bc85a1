"""Loggers other than W&B: the CSV file that is always there, TensorBoard, MLflow."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from cnnlab.classifier import Classifier
from cnnlab.loggers.csv import Curves
from cnnlab.run import Run
from conftest import TINY, runs

Command = Callable[..., int]


def curves_of(folder: Path, metric: str) -> list[tuple[int, Any]]:
    """(step, value) of metrics.csv."""
    with (folder / "metrics.csv").open(newline="") as table:
        return [(int(row["step"]), pytest.approx(float(row[metric]))) for row in csv.DictReader(table)]


def test_tensorboard_has_the_curves_the_test_and_a_row_of_hparams(command: Command, here: Path) -> None:
    assert command("train", "logger=tensorboard", *TINY) == 0
    (folder,) = runs(here)
    read = EventAccumulator(str(folder / "tensorboard")).Reload()
    for metric in ("train/loss", "val/accuracy"):
        assert [(event.step, event.value) for event in read.Scalars(metric)] == curves_of(folder, metric)
    metrics = Run(folder).result()["metrics"]
    assert read.Scalars("test/accuracy")[-1].value == pytest.approx(metrics["test/accuracy"])
    assert read.Scalars("hparams/best/val/accuracy")[-1].value == pytest.approx(metrics["val/accuracy"])
    told = read.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    hparams = HParamsPluginData.FromString(told).session_start_info.hparams
    assert hparams["optim.lr"].number_value == 0.001
    assert (folder / "metrics.csv").exists()


@pytest.mark.slow
def test_mlflow_has_a_run_for_each_cell_and_goes_on_in_it(
    command: Command, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.tracking import MlflowClient

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    words = ["train", "study=s", "logger=mlflow", *TINY]
    begin = Classifier.on_train_epoch_start

    def stop(self: Classifier) -> None:
        if self.current_epoch == 1:
            raise SystemExit(143)
        begin(self)

    def told() -> tuple[list[Any], MlflowClient]:
        client = MlflowClient(f"sqlite:///{here}/runs/mlflow.db")
        experiment = client.get_experiment_by_name("s")
        assert experiment is not None
        return list(client.search_runs([experiment.experiment_id])), client

    with monkeypatch.context() as once:
        once.setattr(Classifier, "on_train_epoch_start", stop)
        assert command(*words) == 143
    (run,), _ = told()
    assert (run.info.status, run.data.tags["state"]) == ("KILLED", "interrupted")
    assert command(*words) == 0
    assert command(*words, "optim=sgd", "optim.lr=1e9") == 1
    (diverged, run), client = told()
    (folder,) = (folder for folder in runs(here) if Run(folder).done)
    assert (diverged.info.status, diverged.data.tags["state"]) == ("FAILED", "diverged")
    assert (run.info.status, run.info.run_name) == ("FINISHED", folder.name)
    assert run.data.params["optim.lr"] == "0.001"
    history = {m.step: m.value for m in client.get_metric_history(run.info.run_id, "val/accuracy")}
    assert sorted(history.items()) == curves_of(folder, "val/accuracy")
    metrics = Run(folder).result()["metrics"]
    assert run.data.metrics["best/val/accuracy"] == pytest.approx(metrics["val/accuracy"])
    assert run.data.metrics["test/accuracy"] == pytest.approx(metrics["test/accuracy"])


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
