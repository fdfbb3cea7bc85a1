"""Cells of one seed see the same, so that their differences pair (initial weights: models/test_paired_draws.py)."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnlab.losses import Objective
from cnnlab.mixing import Targets
from cnnlab.train import fit
from conftest import TINY, compose_config

TWO_CELLS = (
    ["model=lenet5", "regularizer=none", "optim=adam"],
    ["model=resnet20", "model.width=0.25", "regularizer=all", "optim=sgd", "scheduler=step"],
)
SHORT = ["trainer.limit_train_batches=3", "trainer.limit_val_batches=1", "trainer.limit_test_batches=1"]
Seen = list[tuple[Tensor, Targets]]


def seen(folder: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> Seen:
    """What a network is fed in training, and what it is to say."""
    batches: list[Tensor] = []
    targets: list[Targets] = []
    judge = Objective.forward

    def note(self: Objective, outputs: Any, wanted: Targets) -> Any:
        targets.append(wanted)
        return judge(self, outputs, wanted)

    def watch(module: nn.Module, inputs: tuple[Tensor]) -> None:
        if module.training and type(module).__name__ in ("LeNet5", "ResNet"):
            batches.append(inputs[0].clone())

    watching = nn.modules.module.register_module_forward_pre_hook(watch)
    with monkeypatch.context() as once:
        once.setattr(Objective, "forward", note)
        try:
            fit(compose_config(*TINY, *SHORT, *words), str(folder))
        finally:
            watching.remove()
    return list(zip(batches, targets, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize(
    "data",
    [
        ["augment=affine"],
        ["augment=standard", "datamodule.feed=workers", "datamodule.num_workers=0"],
        ["regularizer.mixup=0.4", "regularizer.cutmix=1"],
    ],
)
def test_other_models_regularizers_and_optimizers_see_the_same_batches(
    data: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (
        seen(tmp_path / str(n), monkeypatch, *cell, *data, "trainer.accelerator=cpu")
        for n, cell in enumerate(TWO_CELLS)
    )
    assert len(first) == len(second) == 2 * 3
    for (images, targets), (others, their_targets) in zip(first, second, strict=True):
        assert torch.equal(images, others)
        assert torch.equal(targets.labels, their_targets.labels)
        assert targets.share == their_targets.share
    assert not torch.equal(first[0][0], first[3][0])


def test_another_seed_sees_another_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (seen(tmp_path / str(seed), monkeypatch, f"seed={seed}") for seed in (0, 1))
    assert not any(torch.equal(a[0], b[0]) for a, b in zip(first, second, strict=True))
