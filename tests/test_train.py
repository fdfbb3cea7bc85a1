"""One run, from the command to its folder."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from cnnlab.build import build_data, build_network
from cnnlab.classifier import Classifier
from conftest import TINY, runs

Command = Callable[..., int]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one finished run."""
    import os
    import sys

    from cnnlab import cli

    folder, before, argv = tmp_path_factory.mktemp("trained"), Path.cwd(), sys.argv
    os.chdir(folder)
    sys.argv = ["cnnlab", "train", "study=one", "seed=0", "regularizer=all", *TINY]
    try:
        cli.main()
    finally:
        os.chdir(before)
        sys.argv = argv
    return runs(folder)[0]


def result(folder: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((folder / "result.json").read_text())
    return values


def curves(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "metrics.csv").read_text().splitlines()))


def weights(folder: Path) -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    return state


def test_folder_is_as_the_contract_says(trained: Path) -> None:
    files = {str(path.relative_to(trained)) for path in trained.rglob("*") if path.is_file()}
    assert files == {
        ".hydra/config.yaml",
        ".hydra/overrides.yaml",
        "status.json",
        "result.json",
        "metrics.csv",
        "predictions.npz",
        "checkpoints/best.ckpt",
        "checkpoints/last.ckpt",
        "checkpoints/previous.ckpt",
        "train.log",
    }


def test_config_is_resolved(trained: Path) -> None:
    config = OmegaConf.to_container(OmegaConf.load(trained / ".hydra" / "config.yaml"), resolve=False)
    assert config["model"]["num_classes"] == 10  # type: ignore[call-overload, index]


def test_status_is_done(trained: Path) -> None:
    status = json.loads((trained / "status.json").read_text())
    assert (status["state"], status["exit_code"], status["attempt"]) == ("done", 0, 1)
    assert {"host", "pid", "seconds"} <= set(status)


def test_result_has_what_the_contract_says(trained: Path) -> None:
    values = result(trained)
    assert set(values) == {"cell", "seed", "metrics", "cost", "per_class", "data", "micro_batches", "environment"}
    scores = {
        f"{stage}/{s}" for stage in ("train", "val", "test") for s in ("loss", "accuracy", "top5_accuracy", "macro_f1")
    }
    assert scores <= set(values["metrics"])
    cost = {"parameters", "flops", "train_images_per_second", "peak_memory_bytes", "fit_seconds"}
    cost |= {"step_seconds", "validation_seconds", "validation_step_seconds"}
    assert set(values["cost"]) == cost
    assert all(value > 0 for value in values["cost"].values())
    assert (values["cell"], values["seed"]) == (trained.name, 0)


def test_result_tells_the_scores_of_each_class(trained: Path) -> None:
    values = result(trained)
    of_classes = values["per_class"]
    assert list(of_classes) == list("0123456789")
    images = [scores["images"] for scores in of_classes.values()]
    assert sum(images) == values["data"]["images"]["test"]
    right = sum(scores["images"] * scores["accuracy"] for scores in of_classes.values())
    assert right / sum(images) == pytest.approx(values["metrics"]["test/accuracy"])
    saved = np.load(trained / "predictions.npz")
    guessed = saved["probabilities"].argmax(axis=1)
    for label, scores in enumerate(of_classes.values()):
        chosen = guessed == label
        if chosen.any():
            assert scores["precision"] == pytest.approx(np.mean(saved["label"][chosen] == label))
        else:
            assert scores["precision"] is None


def test_curves_have_a_row_an_epoch(trained: Path) -> None:
    rows = curves(trained)
    assert [row["epoch"] for row in rows] == ["0", "1"]
    assert all(row["train/loss"] and row["val/accuracy"] and row["train/lr"] for row in rows)


def test_reported_validation_is_the_best_epochs(trained: Path) -> None:
    best = max(float(row["val/accuracy"]) for row in curves(trained))
    assert result(trained)["metrics"]["val/accuracy"] == pytest.approx(best)


def test_predictions_give_the_test_accuracy(trained: Path) -> None:
    with np.load(trained / "predictions.npz") as saved:
        index, label, probabilities = saved["index"], saved["label"], saved["probabilities"]
    assert index.tolist() == list(range(359))
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(359), abs=1e-5)
    accuracy = (probabilities.argmax(axis=1) == label).mean()
    assert result(trained)["metrics"]["test/accuracy"] == pytest.approx(accuracy)


def assert_tests_with(folder: Path, state: dict[str, torch.Tensor]) -> None:
    """predictions.npz is what these weights say."""
    config: Any = OmegaConf.to_container(OmegaConf.load(folder / ".hydra" / "config.yaml"))
    net, data = build_network(config), build_data(config)
    net.load_state_dict({name.removeprefix("net."): value for name, value in state.items()})
    data.setup("test")
    images, labels, _ = data.on_after_batch_transfer(next(iter(data.test_dataloader())), 0)
    with np.load(folder / "predictions.npz") as saved:
        expected = saved["probabilities"][: len(labels)]
    assert net.eval()(images).softmax(dim=1).detach().numpy() == pytest.approx(expected, abs=1e-5)


def test_tested_weights_are_the_best_checkpoints(trained: Path) -> None:
    assert_tests_with(trained, torch.load(trained / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"])


def test_log_says_what_was_trained(trained: Path) -> None:
    assert "lenet5, images 1x32x32" in (trained / "train.log").read_text()


@pytest.mark.parametrize("more", [[], ["regularizer=[none,dropout]", "augment=affine", "datamodule.num_workers=2"]])
def test_same_seed_same_weights(command: Command, here: Path, more: list[str]) -> None:
    for study in ("a", "b"):
        assert command("train", f"study={study}", "seed=0", *TINY, *more) == 0
    first, second = (weights(folder) for folder in runs(here))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_another_seed_other_weights(command: Command, here: Path) -> None:
    for seed in (0, 1):
        assert command("train", "study=a", f"seed={seed}", *TINY) == 0
    first, second = (weights(folder) for folder in runs(here))
    assert not torch.equal(first["net.classifier.1.0.weight"], second["net.classifier.1.0.weight"])


def test_a_run_without_study_has_a_folder_of_its_own(command: Command, here: Path) -> None:
    assert command("train", *TINY) == 0
    assert len(runs(here)) == 1
    assert runs(here)[0].parent.name.startswith("20")


def test_a_done_cell_is_not_trained_again(command: Command, here: Path) -> None:
    command("train", "study=a", *TINY)
    written = (runs(here)[0] / "result.json").stat().st_mtime_ns
    assert command("train", "study=a", *TINY) == 0
    assert (runs(here)[0] / "result.json").stat().st_mtime_ns == written


def test_a_diverged_run_is_no_success(command: Command, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("train", "optim=sgd", "optim.lr=1e9", *TINY) == 1
    assert json.loads((runs(here)[0] / "status.json").read_text())["state"] == "diverged"
    assert not (runs(here)[0] / "result.json").exists()
    said = capsys.readouterr().err
    assert re.search(r"loss is (nan|inf) in epoch 1, step \d \(lr [\d.e+]+, gradient norm \S+\)", said)


def test_a_run_that_diverges_keeps_its_last_good_checkpoint(
    command: Command, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Classifier.training_step

    def diverge(self: Classifier, batch: Any, batch_idx: int) -> torch.Tensor:
        return step(self, batch, batch_idx) * (float("nan") if self.trainer.global_step == 11 else 1)

    monkeypatch.setattr(Classifier, "training_step", diverge)
    assert command("train", *TINY) == 1
    saved = torch.load(runs(here)[0] / "checkpoints" / "last.ckpt", weights_only=True)
    assert saved["global_step"] == 8
    assert all(tensor.isfinite().all() for tensor in saved["state_dict"].values())


def test_weights_that_are_not_finite_are_not_saved(
    command: Command, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    begin_batch = Classifier.on_train_batch_start

    def spoil(self: Classifier, batch: Any, batch_idx: int) -> None:
        begin_batch(self, batch, batch_idx)
        if self.trainer.global_step == 15:  # the last step, whose loss is from before
            self.net.register_buffer("spoilt", torch.tensor(float("inf")))

    monkeypatch.setattr(Classifier, "on_train_batch_start", spoil)
    assert command("train", *TINY) == 1
    assert "spoilt is not finite after step 16" in capsys.readouterr().err
    assert torch.load(runs(here)[0] / "checkpoints" / "last.ckpt", weights_only=True)["global_step"] == 8


def test_a_batch_larger_than_the_data_is_no_success(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("train", "datamodule.batch_size=4096") == 1
    assert "batch_size=4096 is more than the" in capsys.readouterr().err


def test_ema_weights_are_what_is_tested(command: Command, here: Path) -> None:
    assert command("train", *TINY[:3], "callbacks=[quiet,ema]") == 0
    folder = runs(here)[0]
    state = torch.load(folder / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]
    assert_tests_with(folder, state)


def test_l1_changes_a_run(command: Command, here: Path) -> None:
    for strength in (0, 0.01):
        assert command("train", "study=a", f"regularizer.l1={strength}", *TINY) == 0
    plain, sparse = sorted(runs(here), key=lambda run: "l1" in run.name)
    sizes = [sum(w.abs().sum().item() for w in weights(run).values()) for run in (plain, sparse)]
    assert sizes[1] < 0.9 * sizes[0]


def test_a_done_runs_configuration_is_left_alone(command: Command, here: Path) -> None:
    command("train", "study=a", *TINY)
    config = (runs(here)[0] / ".hydra" / "config.yaml").read_text()
    assert command("train", "study=a", "data_dir=/elsewhere", *TINY) == 0
    assert (runs(here)[0] / ".hydra" / "config.yaml").read_text() == config


@pytest.mark.parametrize(
    "group", ["callbacks=[quiet,early_stopping]", "callbacks=[quiet,ema]", "debug=fast", "debug=anomaly"]
)
def test_optional_parts_train(command: Command, group: str) -> None:
    assert command("train", *TINY[:3], group) == 0


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed", "bf16-true", "64-true"])
def test_precision_clipping_and_accumulation_work_together(command: Command, precision: str) -> None:
    more = [f"trainer.precision={precision}", "trainer.gradient_clip_val=1.0", "trainer.accumulate_grad_batches=2"]
    assert command("train", *TINY, *more) == 0


@pytest.mark.slow
def test_overfit_learns_its_few_images(command: Command, here: Path) -> None:
    assert command("train", "debug=overfit", "callbacks=quiet") == 0
    assert result(runs(here)[0])["metrics"]["train/accuracy"] == 1


def test_profile_says_where_the_time_goes(command: Command, here: Path) -> None:
    assert command("train", *TINY, "debug=profile") == 0
    assert "run_training_epoch" in (runs(here)[0] / "train.log").read_text()


def test_tensorboard_writes_its_events(command: Command, here: Path) -> None:
    assert command("train", *TINY, "logger=tensorboard") == 0
    assert list((runs(here)[0] / "tensorboard").glob("events.out*"))
    assert (runs(here)[0] / "metrics.csv").exists()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_lenet5_reads_digits_with_98_percent(command: Command, here: Path, seed: int) -> None:
    assert command("train", "experiment=lenet5_digits", f"seed={seed}") == 0
    assert result(runs(here)[0])["metrics"]["test/accuracy"] >= 0.98
