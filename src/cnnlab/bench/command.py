"""`cnnlab bench`: which part is to be measured."""

from importlib import import_module

from cnnlab.allowed import allow
from cnnlab.commands import require_overrides, talk
from cnnlab.errors import UserError, did_you_mean

KINDS = ("accuracy", "data", "ddp", "grid", "levers", "models", "overhead", "start")


def bench(arguments: list[str]) -> None:
    """Measures a part of cnnlab against what one would have without it."""
    if not arguments:
        raise UserError(f"bench: what is to be measured? There is: {', '.join(KINDS)}")
    what, *rest = arguments
    if what not in KINDS:
        near = did_you_mean(what, KINDS)
        raise UserError(f"bench {what}: there is nothing of that name to measure.{near} There is: {', '.join(KINDS)}")
    require_overrides(rest)
    allow(rest)
    talk()
    module = import_module(f"cnnlab.bench.{what}")  # which imports torch
    getattr(module, f"bench_{what}")(rest)
