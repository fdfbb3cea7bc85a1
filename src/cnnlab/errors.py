"""Errors that a user can mend: they are printed in a line or two, without a traceback."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches


class UserError(ValueError):
    """What was asked for cannot be done; the message names the key, the value, what is allowed and what to do."""


class Diverged(UserError):
    """The loss is no longer finite, so that going on would train nothing."""


class OutOfGpuMemory(RuntimeError):
    """A GPU has too little memory for this batch; `trainer.micro_batches` computes it in pieces."""


class DiskFull(RuntimeError):
    """What a run writes found no room; the checkpoints before are as they were."""


class WorkerKilled(RuntimeError):
    """A process that reads images was ended from outside."""


class RankFailed(RuntimeError):
    """One of a run's processes failed, and showed its traceback itself."""


class RankKilled(RankFailed):
    """One of a run's processes was ended from outside."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """' Did you mean vgg16?' or nothing; swapped and missing letters count as near."""
    near = get_close_matches(word, list(known), n=5, cutoff=0.55)
    near.sort(key=lambda other: sorted(other) != sorted(word))  # swapped letters first, else in order of likeness
    return f" Did you mean {near[0]}?" if near else ""


def refusal(key: str, value: object, allowed: Iterable[object]) -> str:
    """'optim.lr=x is not allowed: ...' with the nearest of what is."""
    words = [str(choice) for choice in allowed]
    return f"{key}={value} is not allowed: {', '.join(words)}.{did_you_mean(str(value), words)}"


def require_one_of(key: str, value: object, allowed: Collection[object]) -> None:
    """Raises a UserError that names the key, the value and what is allowed, unless the value is."""
    if value not in allowed:
        raise UserError(refusal(key, value, allowed))


def require_count(key: str, value: object, least: int = 1, most: int | None = None) -> None:
    """Raises a UserError unless it is a whole number of at least, and at most, that."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise UserError(f"{key}={value}: it must be a whole number of at least {least}")
    if most is not None and value > most:
        raise UserError(f"{key}={value}: it must be {most} at most")
