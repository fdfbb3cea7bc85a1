"""The numbers that a chart draws, as tables for those who do not see it or want to copy them."""

from collections.abc import Mapping
from typing import Any

WORDS = {"says", "said", "text", "named", "group"}  # for marks; no numbers
TITLES = {
    "line": "curve",
    "front": "on the Pareto front",
    "flops": "FLOPs",
    "fit_seconds": "seconds of training",
    "predicted": "taken for",
    "share": "share of images",
}


def numbers(specification: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A table for each set of columns: these, and the names of the specification's data sets that have them."""
    found: dict[tuple[str, ...], list[str]] = {}
    for name, rows in specification["datasets"].items():
        found.setdefault(tuple(key for key in rows[0] if key not in WORDS), []).append(name)
    return [
        {"data": names, "columns": [[key, TITLES.get(key, key)] for key in columns]} for columns, names in found.items()
    ]
