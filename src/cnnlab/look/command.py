"""`cnnlab look`: pictures of a run, made from its folder at any time."""

from collections.abc import Sequence
from pathlib import Path

from cnnlab.allowed import KEY, allow
from cnnlab.errors import UserError, did_you_mean
from cnnlab.inference.words import folder as folder_of
from cnnlab.look.gallery import MOST, made, require_installed, wanted

KEYS = ("run", "pictures", "output", "images", "class", KEY)


def look(arguments: Sequence[str]) -> None:
    """Writes pictures to <run>/pictures, and prints where they lie.

    Raises:
        UserError: an argument is not known, or the run, the class or a picture is not there.
    """
    told = read(arguments)
    if "run" not in told:
        raise UserError("look: which run? cnnlab look run=runs/STUDY/CELL")
    chosen, optional = wanted(told.get("pictures", ""))
    count = whole_number("images", told.get("images", "16"))
    require_installed()
    import torch  # after all that can be wrong with the words

    from cnnlab.look.opened import opened

    allow(arguments)
    run = folder_of("look", told["run"])
    device = "cuda" if torch.cuda.is_available() else "cpu"
    subject = opened(run, count, told.get("class"), device=device)
    folder = Path(told["output"]) if told.get("output") else run / "pictures"
    for name, outcome in made(subject, chosen, folder, optional):
        print(outcome if isinstance(outcome, Path) else f"{name} is left out: {outcome}", flush=True)


def read(arguments: Sequence[str]) -> dict[str, str]:
    """The words as key and value; the last of several values holds.

    Raises:
        UserError: one of them is something else.
    """
    told = {}
    for argument in arguments:
        key, sign, value = argument.partition("=")
        if key not in KEYS or not sign:
            raise UserError(f"look {argument}: it is not known.{did_you_mean(key, KEYS)} There are: {', '.join(KEYS)}")
        told[key] = value
    return told


def whole_number(key: str, value: str) -> int:
    """The value as one.

    Raises:
        UserError: it is none, or too small or large.
    """
    if not value.isdecimal() or not 1 <= int(value) <= MOST:
        raise UserError(f"{key}={value}: it must be a whole number from 1 to {MOST}")
    return int(value)
