"""Learning-rate schedules: torch's own, each stepped as often as it needs, times a linear warm-up.

Each function takes the optimizer, the number of optimizer steps and of epochs (a fraction where the last ends early)
in the whole training, and its own parameters, and gives what Lightning wants. The learning rate is always
base * warm-up * schedule.
"""

from typing import Any

from torch.optim import Optimizer
from torch.optim import lr_scheduler as lr
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

Scheduled = list[dict[str, Any]]


def _with_warmup(
    optimizer: Optimizer, scheduler: LRScheduler, interval: str, steps: int, epochs: float, warmup_epochs: float
) -> Scheduled:
    """Adds the linear warm-up, which multiplies whatever the schedule does."""
    schedules: Scheduled = [{"scheduler": scheduler, "interval": interval}]
    warmup_steps = round(warmup_epochs * steps / epochs)
    if warmup_steps > 0:
        rise = lr.LinearLR(optimizer, start_factor=1 / (warmup_steps + 1), total_iters=warmup_steps)
        schedules.append({"scheduler": rise, "interval": "step"})
    return schedules


def constant(optimizer: Optimizer, steps: int, epochs: float, warmup_epochs: float) -> Scheduled:
    """The base learning rate throughout."""
    return _with_warmup(optimizer, lr.ConstantLR(optimizer, factor=1), "epoch", steps, epochs, warmup_epochs)


def step(
    optimizer: Optimizer, steps: int, epochs: float, warmup_epochs: float, step_size: int, gamma: float
) -> Scheduled:
    """gamma ** floor(epoch / step_size)."""
    scheduler = lr.StepLR(optimizer, step_size, gamma)
    return _with_warmup(optimizer, scheduler, "epoch", steps, epochs, warmup_epochs)


def multistep(
    optimizer: Optimizer, steps: int, epochs: float, warmup_epochs: float, milestones: list[int], gamma: float
) -> Scheduled:
    """gamma ** (number of milestones, in epochs, that are past)."""
    scheduler = lr.MultiStepLR(optimizer, milestones, gamma)
    return _with_warmup(optimizer, scheduler, "epoch", steps, epochs, warmup_epochs)


def exponential(optimizer: Optimizer, steps: int, epochs: float, warmup_epochs: float, gamma: float) -> Scheduled:
    """gamma ** epoch."""
    return _with_warmup(optimizer, lr.ExponentialLR(optimizer, gamma), "epoch", steps, epochs, warmup_epochs)


def cosine(optimizer: Optimizer, steps: int, epochs: float, warmup_epochs: float) -> Scheduled:
    """(1 + cos(pi * step / steps)) / 2."""
    return _with_warmup(optimizer, lr.CosineAnnealingLR(optimizer, steps), "step", steps, epochs, warmup_epochs)


def plateau(
    optimizer: Optimizer, steps: int, epochs: float, warmup_epochs: float, factor: float, patience: int
) -> Scheduled:
    """Times factor whenever val/loss has not fallen for more than `patience` epochs."""
    watcher = ReduceLROnPlateau(optimizer, factor=factor, patience=patience)
    schedules = _with_warmup(optimizer, watcher, "epoch", steps, epochs, warmup_epochs)
    schedules[0] |= {"monitor": "val/loss", "reduce_on_plateau": True}
    return schedules


def onecycle(optimizer: Optimizer, steps: int, epochs: float, warmup_epochs: float, pct_start: float) -> Scheduled:
    """Cosine rise to the base learning rate, then cosine fall to almost nothing; the rise is the warm-up if given."""
    rise = warmup_epochs / epochs if warmup_epochs else pct_start
    peak = [float(group["lr"]) for group in optimizer.param_groups]
    # momentum stays as the optimizer has it, so that schedules compare
    scheduler = lr.OneCycleLR(optimizer, peak, total_steps=steps + 1, pct_start=rise, cycle_momentum=False)
    return [{"scheduler": scheduler, "interval": "step"}]
