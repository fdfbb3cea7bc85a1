"""Values as a reader wants to see them: names of what is on, numbers without noise."""

import json
from typing import Any

NAMES = {
    "batch_norm": "BatchNorm",
    "weight_decay": "weight decay",
    "label_smoothing": "label smoothing",
    "stochastic_depth": "stochastic depth",
    "spatial_dropout": "spatial dropout",
    "max_norm": "max-norm",
    "l1": "L1",
    "cutmix": "CutMix",
}
NORMS = {"batch": "BatchNorm", "group": "GroupNorm", "layer": "LayerNorm", "instance": "InstanceNorm"}
NONE = "none"
Ingredients = dict[str, Any]  # name -> its value, of what is on


def ingredients(regularizer: dict[str, Any]) -> Ingredients:
    """Of a regularizer's table, what is on: {'BatchNorm': 'batch', 'dropout': 0.5}."""
    norm = regularizer.get("norm", NONE)
    on = {} if norm == NONE else {NORMS.get(norm, f"{norm} norm"): norm}
    return {**on, **{NAMES.get(key, key): value for key, value in regularizer.items() if key != "norm" and value}}


def joined(on: Ingredients, with_values: frozenset[str] = frozenset()) -> str:
    """'BatchNorm + dropout'; those whose values vary say them: 'dropout 0.3'."""
    words = [f"{name} {shown(value)}" if name in with_values else name for name, value in on.items()]
    return " + ".join(words) or NONE


def label(text: str) -> str:
    """'- BatchNorm' of '- batch_norm'."""
    sign, space, name = text.rpartition(" ")
    return f"{sign}{space}{NAMES.get(name, name)}"


def shown(value: Any) -> str:
    """As one would type it, shortest form."""
    if isinstance(value, bool) or value is None or isinstance(value, list | dict):
        return json.dumps(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def as_number(level: str) -> float | None:
    """0.01 of '0.01'; None of 'adam'."""
    try:
        return float(level)
    except ValueError:
        return None
