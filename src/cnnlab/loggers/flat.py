"""A configuration as other programs want it."""

from collections.abc import Iterator
from typing import Any


def dotted(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value with its key's whole path: ('optim.lr', 0.1)."""
    if isinstance(value, dict) and (value or not path):
        for key, item in value.items():
            yield from dotted(item, f"{path}.{key}" if path else str(key))
    else:
        yield path, value
