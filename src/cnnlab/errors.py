"""Errors that a user can mend: they are printed in a line or two, without a traceback."""

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(ValueError):
    """What was asked for cannot be done; the message names the key, the value, what is allowed and what to do."""


class Diverged(UserError):
    """The loss is no longer finite, so that going on would train nothing."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """' Did you mean vgg16?' or nothing; swapped and missing letters count as near."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.55)
    return f" Did you mean {near[0]}?" if near else ""
