"""A run that was interrupted goes on and becomes what it would have been."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from cnnlab.launch.cell import train_cell
from cnnlab.run import Run
from conftest import TINY, compose_config, train_until

EPOCHS = ["trainer.max_epochs=5", "trainer.accelerator=cpu"]


def slow(*words: str) -> Any:
    return pytest.param(list(words), marks=pytest.mark.slow)


@pytest.mark.parametrize(
    "words",
    [
        ["scheduler=step", "scheduler.step_size=1"],
        ["callbacks=[quiet,ema]", "scheduler=plateau", "scheduler.patience=0"],
        slow("scheduler=cosine", "scheduler.warmup_epochs=1"),
        slow("scheduler=onecycle"),
        slow("regularizer=all", "optim=nesterov"),
        slow("trainer.accumulate_grad_batches=3"),
        slow("trainer.micro_batches=2"),
        slow("regularizer.mixup=0.4", "augment=standard"),
        slow("callbacks=[quiet,early_stopping]", "callbacks.early_stopping.patience=1", "optim.lr=0.1"),
        slow("trainer.check_val_every_n_epoch=2"),
    ],
)
def test_an_interrupted_run_becomes_the_undisturbed_one(
    words: Sequence[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = compose_config(*TINY, *EPOCHS, *words)
    undisturbed, interrupted = tmp_path / "undisturbed", tmp_path / "interrupted"
    train_cell(config, undisturbed, [])
    train_until(2, config, interrupted, monkeypatch)
    assert Run(interrupted).status["state"] == "interrupted"
    train_cell(config, interrupted, [])
    runs = [Run(undisturbed), Run(interrupted)]
    first, second = (torch.load(run.checkpoints / "last.ckpt", weights_only=True)["state_dict"] for run in runs)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert runs[0].result()["metrics"] == runs[1].result()["metrics"]
    for name in ("metrics.csv", "predictions.npz"):
        assert (undisturbed / name).read_bytes() == (interrupted / name).read_bytes()
