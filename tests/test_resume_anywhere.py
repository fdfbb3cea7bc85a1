"""Wherever a run is interrupted, and whatever it trains, it becomes the undisturbed one: moments and runs are drawn."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cnnlab.launch.cell import train_cell
from cnnlab.run import Config
from conftest import TINY, compose_config, stems
from interruptions import Place, assert_same, train_to

BATCHES = 8  # an epoch, of which there are two


def one_of(*choices: list[str]) -> "st.SearchStrategy[list[str]]":
    return st.sampled_from(list(choices))


WORDS = st.tuples(
    st.sampled_from([[f"optim={name}"] for name in stems("optim")]),
    st.sampled_from([[f"scheduler={name}"] for name in stems("scheduler")]),
    one_of([], ["scheduler.warmup_epochs=0.6"]),
    one_of(
        ["datamodule.feed=device"],
        ["datamodule.feed=device", "augment=standard"],
        ["datamodule.feed=workers", "augment=affine"],
        ["datamodule.feed=workers", "augment=affine", "datamodule.num_workers=2"],
    ),
    one_of(["regularizer=none"], ["regularizer=all"], ["regularizer.mixup=0.4"], ["regularizer.dropout=0.5"]),
    one_of([], ["trainer.accumulate_grad_batches=3"], ["trainer.micro_batches=2"], ["trainer.gradient_clip_val=1"]),
    one_of(["callbacks=quiet"], ["callbacks=[quiet,ema]"]),
)
PLACES = st.one_of(
    st.tuples(st.just("train"), st.integers(0, 1), st.integers(0, BATCHES - 1)),
    st.tuples(st.just("validation"), st.integers(0, 1), st.just(0)),
    st.just(("test", 0, 0)),
)
HOW = st.sampled_from(["signal", "signal", "kill"])
Trial = Callable[..., None]


def drawn(examples: int) -> Callable[[Trial], Trial]:
    """So many times, the same each time: no shrinking, since each takes seconds."""
    slow = [HealthCheck.too_slow]
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=slow,
    )


def become_the_same(words: tuple[list[str], ...], places: list[Place], how: str) -> None:
    config: Config = compose_config(*TINY[:3], "trainer.accelerator=cpu", *(word for few in words for word in few))
    with TemporaryDirectory() as folder:
        undisturbed, interrupted = Path(folder, "undisturbed"), Path(folder, "interrupted")
        train_cell(config, undisturbed, [])
        for place in sorted(places, key=when):
            with pytest.MonkeyPatch.context() as monkeypatch:
                train_to(place, config, interrupted, monkeypatch, how)
        train_cell(config, interrupted, [])
        assert_same(undisturbed, interrupted)


def when(place: Place) -> Any:
    stage, epoch, batch = place
    return stage == "test", epoch, stage == "validation", batch


@drawn(1)
@given(WORDS, PLACES, HOW)
def test_from_a_place_that_is_drawn(words: tuple[list[str], ...], place: Place, how: str) -> None:
    become_the_same(words, [place], how)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@drawn(25)
@given(WORDS, PLACES, HOW)
def test_from_many_places_that_are_drawn(words: tuple[list[str], ...], place: Place, how: str) -> None:
    become_the_same(words, [place], how)
