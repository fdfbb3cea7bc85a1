"""A study: the cells of a sweep, which share a folder."""

import hashlib
import re
from collections.abc import Sequence

from cnnlab.errors import UserError

MULTIRUN = ("-m", "--multirun")
MAPPINGS = tuple(
    f"ablation.{piece}" for piece in ("axes", "pairs", "one_at_a_time", "leave_out", "add", "search", "source")
)


def is_sweep(arguments: Sequence[str]) -> bool:
    """Whether the command line asks for several cells."""
    return any(flag in arguments for flag in MULTIRUN)


def with_pieces(arguments: Sequence[str]) -> list[str]:
    """The arguments, with ++ before the pieces of a design: they are mappings, to which a command line may add."""
    return [f"++{argument}" if argument.startswith(MAPPINGS) else argument for argument in arguments]


def as_plan(arguments: Sequence[str]) -> list[str]:
    """The arguments of `train` that plan what these would train; another launcher's keys say nothing here."""
    elsewhere = any(a.startswith("hydra/launcher=") and a != "hydra/launcher=local" for a in arguments)
    ours = ("-m", "--multirun", "--all")
    left = [a for a in arguments if a not in ours and not a.startswith("hydra/launcher=")]
    left = [a for a in left if not (elsewhere and a.lstrip("+").startswith("hydra.launcher."))]
    listed = ["hydra.launcher.rows=null"] if "--all" in arguments else []
    return ["-m", *left, "hydra/launcher=plan", *listed]


def require_sweep(arguments: Sequence[str]) -> None:
    """Raises a UserError for what only a sweep can do, without -m."""
    for argument in () if is_sweep(arguments) else arguments:
        if re.match(r"\+*(ablation|tune)[.=]", argument) and not argument.endswith("=null"):
            raise UserError(f"{argument}: it makes a sweep: add -m")


def with_study(arguments: list[str]) -> list[str]:
    """The arguments, with the default name among the other overrides: argparse wants them in one place."""
    study = default_study(arguments)
    if study is None:
        return arguments
    first = next((at for at, a in enumerate(arguments) if "=" in a and not a.startswith("-")), len(arguments))
    return [*arguments[:first], f"study={study}", *arguments[first:]]


def default_study(arguments: list[str]) -> str | None:
    """Name for a sweep without `study=`: design, what is swept, a hash of all overrides: the same command goes on.

    None if there is no sweep, or it has a name.
    """
    # where and how cells are trained, and what becomes of old ones, make no other study
    overrides = sorted(o for o in arguments if "=" in o and not re.match(r"-|\+*(on_code_change=|hydra[./])", o))
    if not is_sweep(arguments) or any(o.lstrip("+").startswith("study=") for o in overrides):
        return None
    digest = hashlib.sha256(" ".join(overrides).encode()).hexdigest()[:6]
    swept = [o.split("=")[0] for o in overrides if re.search(r"=.*(,|range\(|choice\(|interval\()", o)]
    names = [key.lstrip("+~").rsplit(".")[-1].rsplit("/")[-1] for key in swept]
    design = [o.removeprefix("ablation=") for o in overrides if re.fullmatch(r"ablation=\w+", o)]
    return "-".join([*(design + names or ["sweep"]), digest])  # a hash alone might be read as a number
