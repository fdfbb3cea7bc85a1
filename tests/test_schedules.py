"""The learning rate, step by step."""

import math

import pytest
import torch
from torch.optim import SGD

from cnnlab.targets import make
from conftest import compose_config, stems

STEPS, EPOCHS = 40, 10


def rates(*overrides: str, lr: float = 1.0) -> list[float]:
    """The learning rate of each of 40 steps in 10 epochs, with a validation loss that never falls."""
    optimizer = SGD([torch.nn.Parameter(torch.zeros(1))], lr)
    schedule = make("scheduler", compose_config(*overrides)["scheduler"])
    schedules = schedule(optimizer, STEPS, EPOCHS)
    seen = []
    for step in range(STEPS):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        epoch_ends = (step + 1) % (STEPS // EPOCHS) == 0
        for each in schedules:
            if each["interval"] == "step" or epoch_ends:
                each["scheduler"].step(*([1.0] if "monitor" in each else []))
    return seen


def test_constant_stays() -> None:
    assert set(rates("scheduler=constant")) == {1.0}


def test_step_falls_every_step_size_epochs() -> None:
    seen = rates("scheduler=step", "scheduler.step_size=4")
    assert [seen[0], seen[15], seen[16], seen[32]] == pytest.approx([1, 1, 0.1, 0.01])


def test_multistep_falls_at_its_milestones() -> None:
    seen = rates("scheduler=multistep", "scheduler.milestones=[2,5]")
    assert [seen[7], seen[8], seen[19], seen[20]] == pytest.approx([1, 0.1, 0.1, 0.01])


def test_exponential_falls_every_epoch() -> None:
    seen = rates("scheduler=exponential", "scheduler.gamma=0.5")
    assert [seen[3], seen[4], seen[-1]] == pytest.approx([1, 0.5, 0.5**9])


def test_cosine_is_the_formula_at_each_step() -> None:
    expected = [(1 + math.cos(math.pi * step / STEPS)) / 2 for step in range(STEPS)]
    assert rates("scheduler=cosine") == pytest.approx(expected)


def test_plateau_falls_when_validation_does_not() -> None:
    seen = rates("scheduler=plateau", "scheduler.patience=2")
    assert [seen[0], seen[15], seen[16]] == pytest.approx([1, 1, 0.1])


def test_onecycle_rises_to_lr_and_falls_to_almost_nothing() -> None:
    seen = rates("scheduler=onecycle")
    assert max(seen) == pytest.approx(1, rel=0.01)
    assert seen.index(max(seen)) == pytest.approx(0.3 * STEPS, abs=1)
    assert seen[-1] < 0.02


@pytest.mark.parametrize("scheduler", sorted(set(stems("scheduler")) - {"onecycle", "plateau"}))
def test_warm_up_multiplies_the_schedule(scheduler: str) -> None:
    plain, warmed = rates(f"scheduler={scheduler}"), rates(f"scheduler={scheduler}", "scheduler.warmup_epochs=2")
    factors = [min(1, (step + 1) / 9) for step in range(STEPS)]  # 8 steps below 1
    assert warmed == pytest.approx([rate * factor for rate, factor in zip(plain, factors, strict=True)])


@pytest.mark.parametrize(("scheduler", "more"), [("onecycle", []), ("plateau", ["scheduler.patience=9"])])
def test_warm_up_rises(scheduler: str, more: list[str]) -> None:
    seen = rates(f"scheduler={scheduler}", "scheduler.warmup_epochs=2", *more)
    assert seen[:8] == sorted(seen[:8])
    assert seen[9] == pytest.approx(1, rel=0.02)


@pytest.mark.parametrize("scheduler", stems("scheduler"))
def test_rates_stay_positive_and_below_the_base(scheduler: str) -> None:
    assert all(0 < rate <= 1 + 1e-9 for rate in rates(f"scheduler={scheduler}"))
