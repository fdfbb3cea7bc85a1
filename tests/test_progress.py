"""What a terminal shows while a run trains."""

import io
import re
import sys
from types import SimpleNamespace
from typing import Any

import pytest
import rich

from cnnlab.callbacks.progress import Progress


class Terminal(io.StringIO):
    """Output that takes itself for one."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("columns", "shown", "left_out"),
    [(120, ["loss", "val accuracy", "objective"], []), (80, ["val accuracy"], ["loss", "objective"])],
)
def test_times_are_readable_however_narrow_the_terminal_is(
    columns: int, shown: list[str], left_out: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(rich, "_console", None)  # which has measured the terminal before
    monkeypatch.setattr(sys, "stdout", screen := Terminal())
    trainer: Any = SimpleNamespace(
        current_epoch=11,
        max_epochs=120,
        is_global_zero=True,
        num_training_batches=1248,
        accumulate_grad_batches=1,
        callbacks=[],
        callback_metrics={"train/loss": 1.3452, "val/accuracy": 0.8601},
    )
    progress = Progress()
    progress.on_train_start(trainer, None)  # type: ignore[arg-type]
    loss: Any = SimpleNamespace(item=lambda: 0.3312)
    progress.on_train_batch_end(trainer, None, {"loss": loss}, None, 700)  # type: ignore[arg-type]
    progress._close()
    *_, line = [row for row in re.sub(r"\x1b\[[\d;?]*\w", "", screen.getvalue()).splitlines() if row.strip()]
    for word in shown:
        assert word in line
    for word in left_out:
        assert word not in line
    assert re.search(r"epoch 12/120 .*14429/149760 .* \d:\d\d:\d\d ETA [-\d:]{7}$", line.rstrip())
