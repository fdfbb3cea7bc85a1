"""Trainings that are ended at a chosen place, and what is compared of them."""

import os
import signal
from pathlib import Path
from typing import Any, Literal

import pytest
import torch

from cnnlab.checkpoints import Begun, begin
from cnnlab.classifier import Classifier
from cnnlab.launch.cell import train_cell
from cnnlab.run import Config, Run

Place = tuple[Literal["train", "validation", "test"], int, int]  # the stage, the epoch and the batch, both from 0
HOOKS = {"train": "training_step", "validation": "validation_step", "test": "test_step"}


def train_to(
    place: Place, config: Config, folder: Path, monkeypatch: pytest.MonkeyPatch, how: str = "signal"
) -> Begun | None:
    """Trains a cell that gets SIGTERM in that batch; with how='kill' it ends at once, without another word.

    Gives what there is to go on from.
    """
    stage, epoch, batch = place
    step = getattr(Classifier, HOOKS[stage])

    def interrupt(self: Classifier, data: Any, batch_idx: int) -> Any:
        if batch_idx == batch and (stage == "test" or self.current_epoch == epoch):
            if how == "kill":
                raise SystemExit(143)
            os.kill(os.getpid(), signal.SIGTERM)
        return step(self, data, batch_idx)

    with monkeypatch.context() as once:
        once.setattr(Classifier, HOOKS[stage], interrupt)
        with pytest.raises(SystemExit) as ended:
            train_cell(config, folder, [])
    assert ended.value.code == 143
    assert Run(folder).status["state"] == "interrupted"
    return begin(folder / "checkpoints")


def assert_same(undisturbed: Path, interrupted: Path) -> None:
    """Weights, curves, scores and predictions to the last bit."""
    runs = [Run(undisturbed), Run(interrupted)]
    for name in ("last.ckpt", "best.ckpt"):
        first, second = (torch.load(run.checkpoints / name, weights_only=True)["state_dict"] for run in runs)
        assert all(torch.equal(first[key], second[key]) for key in first)
    for name in ("metrics.csv", "predictions.npz"):
        assert (undisturbed / name).read_bytes() == (interrupted / name).read_bytes()
    assert runs[0].result()["metrics"] == runs[1].result()["metrics"]
    assert runs[0].result()["per_class"] == runs[1].result()["per_class"]
