"""What cells' processes find imported already."""

from collections.abc import Iterator, Sequence
from typing import Any

ALWAYS = ("cnnlab.train", "cnnlab.launch.cell", "cnnlab.launch.ranks", "pooch")
OURS = ("cnnlab", "torch", "albumentations", "lightning")  # whose import has no effect but taking time


def preloaded(configs: list[dict[str, Any]]) -> list[str]:
    """The modules of all that the cells are made of, and of the training itself."""
    modules = {target.rpartition(".")[0] for config in configs for target in targets(config)}
    return [*ALWAYS, *sorted(module for module in modules if module.split(".")[0] in OURS)]


def first_of_each_choice(jobs: Sequence[Sequence[str]], groups: list[str]) -> list[int]:
    """Which jobs are the first to choose something from a group of the configuration; the first of all is one."""
    seen: set[str] = set()
    first = []
    for n, overrides in enumerate(jobs):
        choices = {override for override in overrides if override.lstrip("+~").split("=")[0].split("@")[0] in groups}
        if n == 0 or choices - seen:
            first.append(n)
            seen |= choices
    return first


def targets(value: Any) -> Iterator[str]:
    """All that `_target_` names in a configuration."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if isinstance(target := value.get("_target_"), str):
                yield target
            value = list(value.values())
        waiting += [item for item in value if isinstance(item, dict | list)]
