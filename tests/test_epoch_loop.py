"""The shorter way over an epoch's batches is Lightning's, to the last bit."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch.loops.training_epoch_loop import _TrainingEpochLoop

from cnnlab.launch.cell import train_cell
from conftest import TINY, compose_config
from interruptions import assert_same

# a callback from elsewhere, for which Lightning's own way is gone; it does nothing
ELSEWHERE = {"timer": {"_target_": "lightning.pytorch.callbacks.Timer"}}


def slow(*words: str) -> Any:
    return pytest.param(list(words), marks=pytest.mark.slow)


@pytest.mark.parametrize(
    "words",
    [
        ["scheduler=onecycle", "trainer.gradient_clip_val=0.5", "callbacks=[quiet,ema]", "augment=standard"],
        ["trainer.accumulate_grad_batches=3", "scheduler=plateau", "scheduler.warmup_epochs=1", "regularizer=all"],
        slow("trainer.micro_batches=2", "regularizer.mixup=0.4"),
        slow("trainer.precision=bf16-mixed", "optim=adamw"),
        slow("+trainer.val_check_interval=3"),
        slow("budget=steps", "budget.amount=11"),
        slow("trainer.on_divergence=skip_step", "optim=rmsprop"),
        slow("callbacks=[quiet,gradual_unfreezing]"),
        slow("callbacks=[quiet,early_stopping]", "callbacks.early_stopping.patience=1", "optim.lr=0.1"),
        slow("trainer.devices=2", "datamodule.num_workers=1", "datamodule.feed=workers"),
        slow("trainer.devices=2", "trainer.accumulate_grad_batches=2", "trainer.sync_batchnorm=true", "model=resnet20"),
    ],
)
def test_it_gives_what_lightnings_own_way_gives(words: Sequence[str], tmp_path: Path) -> None:
    budget = [] if any(word.startswith("budget") for word in words) else ["trainer.max_epochs=3"]
    tiny = [word for word in TINY if "max_epochs" not in word]
    config = compose_config(*tiny, *budget, "trainer.accelerator=cpu", *words)
    short, long = tmp_path / "short", tmp_path / "long"
    train_cell(config, short, [])
    train_cell({**config, "callbacks": {**config["callbacks"], **ELSEWHERE}}, long, [])
    assert_same(short, long)


def test_it_is_taken_unless_a_callback_from_elsewhere_might_log_in_a_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_way: list[int] = []
    advance = _TrainingEpochLoop.advance

    def counted(self: Any, *arguments: Any) -> None:
        long_way.append(1)
        advance(self, *arguments)

    monkeypatch.setattr(_TrainingEpochLoop, "advance", counted)
    config = compose_config(*TINY, "trainer.accelerator=cpu")
    train_cell(config, tmp_path / "short", [])
    assert not long_way
    train_cell({**config, "callbacks": ELSEWHERE}, tmp_path / "long", [])
    assert long_way
