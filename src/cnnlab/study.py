"""A study: the cells of a sweep, which share a folder."""

import hashlib
import re

MULTIRUN = ("-m", "--multirun")


def default_study(arguments: list[str]) -> str | None:
    """Name for a sweep without `study=`: what is swept, and a hash of all overrides, so that the same command goes on.

    None if there is no sweep, or it has a name.
    """
    overrides = sorted(argument for argument in arguments if "=" in argument and not argument.startswith("-"))
    if not any(flag in arguments for flag in MULTIRUN) or any(o.startswith("study=") for o in overrides):
        return None
    digest = hashlib.sha256(" ".join(overrides).encode()).hexdigest()[:6]
    swept = [o.split("=")[0] for o in overrides if re.search(r"=.*(,|range\(|choice\(|interval\()", o)]
    return "-".join([*(key.lstrip("+~").rsplit(".")[-1].rsplit("/")[-1] for key in swept), digest])
