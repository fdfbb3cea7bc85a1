"""What cells' processes find imported already."""

from collections.abc import Iterator
from typing import Any

ALWAYS = ("cnnlab.train", "cnnlab.launch.cell", "cnnlab.launch.ranks", "pooch")
OURS = ("cnnlab", "torch", "albumentations", "lightning")  # whose import has no effect but taking time


def preloaded(configs: list[dict[str, Any]]) -> list[str]:
    """The modules of all that the cells are made of, and of the training itself."""
    targets = {target.rpartition(".")[0] for config in configs for target in _targets(config)}
    return [*ALWAYS, *sorted(module for module in targets if module.split(".")[0] in OURS)]


def _targets(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(target := value.get("_target_"), str):
            yield target
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _targets(item)
