"""trainer.on_divergence: what a loss that is no number does to a run."""

import copy
import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from cnnlab.callbacks.rollback import halve
from cnnlab.cell import identity
from cnnlab.classifier import Classifier
from cnnlab.errors import Diverged
from cnnlab.launch.cell import train_cell
from cnnlab.run import Run
from cnnlab.targets import make
from conftest import TINY, compose_config, runs, stems
from interruptions import assert_same, train_to

Command = Callable[..., int]
Process = Callable[..., Any]
NAN = float("nan")
SKIP = [*TINY, "trainer.accelerator=cpu", "trainer.on_divergence=skip_step"]
BACK = [*TINY, "trainer.accelerator=cpu", "trainer.on_divergence=rollback"]
BATCHES = 8  # an epoch


def plant(monkeypatch: pytest.MonkeyPatch, where: Callable[[Classifier], bool]) -> None:
    """Images that are no numbers, in the steps of which that is so."""
    step = Classifier.training_step

    def spoiled(self: Classifier, batch: Any, batch_idx: int) -> torch.Tensor:
        images, *others = batch
        return step(self, (images * NAN, *others) if where(self) else batch, batch_idx)

    monkeypatch.setattr(Classifier, "training_step", spoiled)


def at_step(*steps: int) -> Callable[[Classifier], bool]:
    return lambda classifier: classifier.trainer.global_step in steps


def rows(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "metrics.csv").read_text().splitlines()))


def state(classifier: Classifier) -> Any:
    return copy.deepcopy((classifier.state_dict(), classifier.trainer.optimizers[0].state_dict()["state"]))


def assert_equal(one: Any, other: Any) -> None:
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other)
    elif isinstance(one, dict | tuple):
        assert len(one) == len(other)
        for key in one if isinstance(one, dict) else range(len(one)):
            assert_equal(one[key], other[key])
    else:
        assert one == other


@pytest.mark.parametrize(
    "words",
    [
        ["optim=momentum", "regularizer=all"],
        ["optim=adam", "trainer.micro_batches=2", "callbacks=[quiet,ema]"],
        pytest.param(
            [
                "optim=nesterov",
                "trainer.accumulate_grad_batches=2",
                "scheduler=onecycle",
                "trainer.gradient_clip_val=1",
            ],
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_skipped_step_changes_neither_weights_nor_optimizer(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bad = 2 if "accumulate" in words[1] else 5
    seen: dict[int, Any] = {}
    begin_batch = Classifier.on_train_batch_start

    def look(self: Classifier, batch: Any, batch_idx: int) -> None:
        seen.setdefault(self.trainer.global_step, state(self))
        begin_batch(self, batch, batch_idx)

    monkeypatch.setattr(Classifier, "on_train_batch_start", look)
    plant(monkeypatch, at_step(bad))
    result = train_cell(compose_config(*SKIP, *words), tmp_path, [])
    assert_equal(seen[bad], seen[bad + 1])
    assert not torch.equal(*(seen[step][0]["net.classifier.1.0.weight"] for step in (bad + 1, bad + 2)))
    assert result is not None
    assert result["skipped_steps"] == 1
    assert [row["train/skipped_steps"] for row in rows(tmp_path)] == ["1.0", "0.0"]
    assert "nan" not in (tmp_path / "metrics.csv").read_text()
    assert f"a step is skipped: the training loss is nan in epoch 1, step {bad + 1} (lr" in caplog.text


def test_a_gradient_that_is_not_finite_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def spoil(self: Classifier) -> None:
        if self.trainer.global_step == 9:
            next(self.parameters()).grad.fill_(float("inf"))  # type: ignore[union-attr]

    monkeypatch.setattr(Classifier, "on_after_backward", spoil)
    result = train_cell(compose_config(*SKIP), tmp_path, [])
    assert result is not None
    assert result["skipped_steps"] == 1


def test_more_than_ten_skipped_steps_in_a_row_are_a_divergence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, lambda classifier: 3 <= classifier.trainer.global_step < 14)
    with pytest.raises(Diverged, match="more than 10 steps in a row were skipped; in the last one the training loss"):
        train_cell(compose_config(*SKIP), tmp_path, [])
    assert Run(tmp_path).status["state"] == "diverged"


def test_ten_skipped_steps_in_a_row_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, lambda classifier: 3 <= classifier.trainer.global_step < 13)
    result = train_cell(compose_config(*SKIP), tmp_path, [])
    assert result is not None
    assert result["skipped_steps"] == 10


@pytest.mark.slow
@pytest.mark.parametrize("how", ["signal", pytest.param("kill", marks=pytest.mark.slow)])
@pytest.mark.parametrize("words", [SKIP, BACK])
def test_a_run_that_skips_or_rolls_back_goes_on_to_the_last_bit(
    words: list[str], how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed, interrupted = tmp_path / "undisturbed", tmp_path / "interrupted"
    config = compose_config(*words, "scheduler=cosine")
    plant(monkeypatch, lambda self: self.trainer.global_step in (2, 10) and rate(self) > 4e-4)
    one = train_cell(config, undisturbed, [])
    train_to(("train", 0, 5), config, interrupted, monkeypatch, how)
    train_to(("train", 1, 5), config, interrupted, monkeypatch, how)
    other = train_cell(config, interrupted, [])
    assert_same(undisturbed, interrupted)
    assert one is not None
    assert other is not None
    assert one.get("skipped_steps") == other.get("skipped_steps")
    assert one.get("rollbacks") == other.get("rollbacks")
    assert one.get("rollbacks") or one.get("skipped_steps")


def rate(classifier: Classifier) -> float:
    return float(classifier.trainer.optimizers[0].param_groups[0]["lr"])


def test_rollback_goes_on_from_the_last_epoch_with_half_the_learning_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = compose_config(*BACK, "scheduler=constant", "optim.lr=0.001")
    plant(monkeypatch, lambda self: self.trainer.global_step == 11 and rate(self) > 0.0006)
    result = train_cell(config, tmp_path, [])
    assert result is not None
    assert result["rollbacks"] == 1
    assert [float(row["train/lr"]) for row in rows(tmp_path)] == pytest.approx([0.001, 0.0005])
    saved = torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=True)
    assert saved["global_step"] == 2 * BATCHES


def test_what_is_reported_of_validation_is_of_the_weights_that_are_tested(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here the best epoch is one that is given up, since the first step after it fails."""
    config = compose_config(*BACK, "trainer.max_epochs=4", "scheduler=constant", "optim.lr=0.004")
    step = Classifier.training_step

    def spoiled(self: Classifier, batch: Any, batch_idx: int) -> torch.Tensor:
        first, back = self.trainer.global_step < 2 * BATCHES, rate(self) < 0.003
        if self.trainer.global_step == 3 * BATCHES and not back:
            return step(self, (batch[0] * NAN, *batch[1:]), batch_idx)
        loss = step(self, batch, batch_idx)
        return loss * (0.0 if first else -0.01 if back else 1.0)

    monkeypatch.setattr(Classifier, "training_step", spoiled)
    result = train_cell(config, tmp_path, [])
    assert result is not None
    assert result["rollbacks"] == 1
    best = torch.load(tmp_path / "checkpoints" / "best.ckpt", weights_only=True)
    metrics, curves = result["metrics"], rows(tmp_path)
    assert best["epoch"] == metrics["epoch"] == 2
    assert metrics["val/accuracy"] == float(best["callbacks"]["best.ckpt"]["score"])
    assert metrics["val/accuracy"] > max(float(row["val/accuracy"]) for row in curves)
    assert metrics["step"] == int(curves[2]["step"])


@pytest.mark.slow
def test_rollback_in_the_first_epoch_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow, undisturbed = (tmp_path / name for name in ("slow", "undisturbed"))
    plant(monkeypatch, lambda self: self.trainer.global_step == 4 and rate(self) > 0.0006)
    train_cell(compose_config(*BACK, "scheduler=constant", "optim.lr=0.001"), slow, [])
    train_cell(
        compose_config(*TINY, "trainer.accelerator=cpu", "scheduler=constant", "optim.lr=0.0005"), undisturbed, []
    )
    assert_same(undisturbed, slow)


@pytest.mark.slow
def test_the_fourth_divergence_is_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, at_step(11))
    with pytest.raises(Diverged, match="went back 3 times before, with half the learning rate each time"):
        train_cell(compose_config(*BACK, "scheduler=constant", "optim.lr=0.008"), tmp_path, [])
    assert Run(tmp_path).status["state"] == "diverged"
    saved = torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=True)
    assert saved["optimizer_states"][0]["param_groups"][0]["lr"] == 0.001


def test_what_is_no_number_before_anything_was_trained_cannot_be_rolled_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch, at_step(0))
    with pytest.raises(Diverged, match="no checkpoint of before that step to go back to"):
        train_cell(compose_config(*BACK), tmp_path, [])


@pytest.mark.slow
@pytest.mark.parametrize("name", stems("scheduler"))
@pytest.mark.parametrize("more", [[], ["scheduler.warmup_epochs=2"]])
def test_half_the_learning_rate_stays_half(name: str, more: list[str]) -> None:
    def ahead(steps: int, saved: Any = None) -> tuple[list[float], Any]:
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], 1.0)
        schedules = make("scheduler", compose_config(f"scheduler={name}", *more)["scheduler"])(optimizer, 40, 10)
        if saved:
            optimizer.load_state_dict(saved["optimizer_states"][0])
            for one, of_one in zip(schedules, saved["lr_schedulers"], strict=True):
                one["scheduler"].load_state_dict(of_one)
        seen = []
        for _ in range(steps):
            seen.append(float(optimizer.param_groups[0]["lr"]))
            optimizer.step()
            for one in schedules:
                if one["interval"] == "step":
                    one["scheduler"].step()
        states = [one["scheduler"].state_dict() for one in schedules]
        return seen, copy.deepcopy({"optimizer_states": [optimizer.state_dict()], "lr_schedulers": states})

    undisturbed, _ = ahead(20)
    _, saved = ahead(5)
    halve(saved)
    later, _ = ahead(15, saved)
    assert later == pytest.approx([lr / 2 for lr in undisturbed[5:]])


def test_a_cell_that_stops_is_named_as_ever() -> None:
    config = compose_config()
    assert config["trainer"]["on_divergence"] == "stop"
    names = {identity(compose_config(f"trainer.on_divergence={how}")) for how in ("stop", "skip_step", "rollback")}
    assert len(names) == 3
    assert identity(config) in names


def test_another_word_is_refused(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("train", "trainer.on_divergence=rolback", *TINY) == 1
    said = capsys.readouterr().err
    assert "trainer.on_divergence=rolback is not allowed: stop, skip_step, rollback. Did you mean rollback?" in said


@pytest.mark.slow
@pytest.mark.parametrize(("how", "told"), [("skip_step", "skipped_steps"), ("rollback", "rollbacks")])
def test_processes_agree_about_the_loss_of_one_of_them(process: Process, trouble: Path, how: str, told: str) -> None:
    words = ["model=trouble", "+what=nan", "seed=1", "trainer=ddp_cpu", f"trainer.on_divergence={how}", *TINY]
    ended = process("train", *words, "study=s")
    assert ended.returncode == 0, ended.stderr
    (run,) = runs(trouble)
    assert json.loads((run / "result.json").read_text())[told] == 1


@pytest.mark.slow
@pytest.mark.usefixtures("trouble")
def test_of_several_processes_the_one_that_diverged_is_told_alone(process: Process) -> None:
    ended = process("train", "model=trouble", "+what=nan", "seed=1", "trainer=ddp_cpu", *TINY)
    assert ended.returncode == 1
    (said,) = [line for line in ended.stderr.splitlines() if line.strip()]
    assert said.startswith("cnnlab: the training loss is nan in epoch 2")
    assert "Terminating process" not in ended.stdout
