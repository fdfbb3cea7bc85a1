"""Networks for tests: as configurations say, as papers have them, and without computing."""

from typing import Any

import pytest
import torch

from cnnlab.build import build_network
from cnnlab.models.layers import Layers
from conftest import compose_config, stems

# a hundred layers and more for small images, or as many operations: their family's smaller ones stand for them
GIANTS = {"resnet1202", "preact_resnet1001", "densenet_bc_250_24", "densenet_bc_190_40"}


def network(*overrides: str) -> Any:
    """A network whose parts a test may reach into."""
    return build_network(compose_config(*overrides))


def meta_network(*overrides: str) -> Any:
    """The same without memory or values."""
    with torch.device("meta"):
        return network(*overrides)


def shaped(channels: int, image_size: int, num_classes: int) -> list[str]:
    """Overrides for images of that shape."""
    values = ", ".join(["0.5"] * channels)
    return [
        "datamodule=synthetic",
        f"datamodule.in_channels={channels}",
        f"datamodule.image_size={image_size}",
        f"datamodule.num_classes={num_classes}",
        f"datamodule.mean=[{values}]",
        f"datamodule.std=[{values}]",
    ]


def as_in_paper(model: str, *overrides: str) -> Any:
    """On meta, for the images and classes that its card says."""
    card = compose_config(f"model={model}")["model"]["card"]
    channels, size, _ = card["image"]
    return meta_network(f"model={model}", *shaped(channels, size, card["classes"]), *overrides)


def families() -> list[str]:
    """Of each network class the variant with the fewest operations."""
    cheapest: dict[str, tuple[int, str]] = {}
    for name in stems("model"):
        model = compose_config(f"model={name}")["model"]
        candidate = (model["card"]["flops"], name)
        cheapest[model["_target_"]] = min(candidate, cheapest.get(model["_target_"], candidate))
    return sorted(name for _, name in cheapest.values())


def light_first(models: list[str]) -> list[Any]:
    """Models as parameters of a test that belongs to the slow ones where the network is deep."""
    depth = {name: compose_config(f"model={name}")["model"]["card"]["depth"] for name in models}
    return [name if depth[name] <= 30 else pytest.param(name, marks=pytest.mark.slow) for name in models]


def layers(**changes: str | float) -> Layers:
    """Layers with everything off."""
    off = {
        "activation": "relu",
        "init": "he",
        "init_std": 0.01,
        "paper_biases": False,
        "pool": "paper",
        "width": 1.0,
        "norm": "none",
        "norm_eps": 1e-5,
        "dropout": 0.0,
        "spatial_dropout": 0.0,
        "stochastic_depth": 0.0,
    }
    return Layers(**{**off, **changes})  # type: ignore[arg-type]
