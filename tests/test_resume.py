"""A run that was interrupted goes on and becomes what it would have been."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cnnlab.launch.cell import train_cell
from conftest import TINY, compose_config
from interruptions import Place, assert_same, train_to

EPOCHS = ["trainer.max_epochs=3", "trainer.accelerator=cpu"]  # of eight batches
MIDDLE: Place = ("train", 1, 3)
LAST_OF_EPOCH: Place = ("train", 1, 7)


def slow(place: Place, *words: str, how: str = "signal") -> Any:
    return pytest.param(place, list(words), how, marks=pytest.mark.slow)


def slow_too(*values: Any) -> Any:
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    ("place", "words", "how"),
    [
        (MIDDLE, ["scheduler=step", "scheduler.step_size=1"], "signal"),
        (MIDDLE, ["callbacks=[quiet,ema]", "scheduler=plateau", "scheduler.patience=0"], "kill"),
        (("validation", 1, 0), ["callbacks=[quiet,ema]", "scheduler=plateau", "scheduler.patience=0"], "signal"),
        (LAST_OF_EPOCH, ["callbacks=[quiet,ema]", "scheduler=plateau", "scheduler.patience=0"], "signal"),
        (("test", 0, 0), [], "signal"),
        slow(("train", 0, 0)),
        slow(("train", 2, 7)),
        slow(("validation", 2, 0), "trainer.check_val_every_n_epoch=3"),
        slow(LAST_OF_EPOCH, "trainer.check_val_every_n_epoch=3"),
        slow(("validation", 1, 0), "budget=steps", "budget.amount=11"),
        slow(("train", 1, 2), "budget=steps", "budget.amount=11"),
        slow(MIDDLE, "scheduler=cosine", "scheduler.warmup_epochs=1"),
        slow(MIDDLE, "scheduler=onecycle"),
        slow(MIDDLE, "regularizer=all", "optim=nesterov"),
        slow(MIDDLE, "trainer.accumulate_grad_batches=3"),
        slow(LAST_OF_EPOCH, "trainer.accumulate_grad_batches=3"),
        slow(MIDDLE, "trainer.micro_batches=2"),
        slow(MIDDLE, "regularizer.mixup=0.4", "augment=standard"),
        slow(MIDDLE, "callbacks=[quiet,gradual_unfreezing]"),
        slow(MIDDLE, "callbacks=[quiet,early_stopping]", "callbacks.early_stopping.patience=1", "optim.lr=0.1"),
    ],
)
def test_an_interrupted_run_becomes_the_undisturbed_one(
    place: Place, words: Sequence[str], how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = [] if any(word.startswith("budget") for word in words) else EPOCHS[:1]
    config = compose_config(*[word for word in TINY if "max_epochs" not in word], *budget, *EPOCHS[1:], *words)
    undisturbed, interrupted = tmp_path / "undisturbed", tmp_path / "interrupted"
    train_cell(config, undisturbed, [])
    train_to(place, config, interrupted, monkeypatch, how)
    train_cell(config, interrupted, [])
    assert_same(undisturbed, interrupted)


@pytest.mark.parametrize(
    ("words", "epochs", "batches"),
    [
        ([], 1, 4),
        slow_too(["trainer.accumulate_grad_batches=3"], 1, 6),
        slow_too(["trainer.micro_batches=2"], 1, 2),
    ],
)
def test_a_signal_ends_training_after_the_step_in_work(
    words: list[str], epochs: int, batches: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = compose_config(*TINY, *EPOCHS[1:], *words)
    begun = train_to(MIDDLE, config, tmp_path, monkeypatch)
    assert begun is not None
    assert (begun.epochs, begun.batches, begun.finished) == (epochs, batches, False)


def test_a_kill_costs_no_epoch_that_was_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = train_to(("validation", 1, 0), compose_config(*TINY, *EPOCHS[1:]), tmp_path, monkeypatch, how="kill")
    assert begun is not None
    assert (begun.epochs, begun.batches) == (1, 8)
