"""The keys of configurations whose values differ, found quickly: most parts of a study's configurations are shared."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

ABSENT = "-"  # the value of a key that a configuration lacks
Differing = dict[str, list[Any]]  # dotted key -> its value in each configuration


def differing(configs: Sequence[dict[str, Any]]) -> Differing:
    """Lists count as single values."""
    found: Differing = {}
    for root in dict.fromkeys(key for config in configs for key in config):
        parts = [config.get(root, ABSENT) for config in configs]
        distinct = {id(part): part for part in parts}  # read_config hands out one object for equal texts
        if len(distinct) == 1:
            continue
        flat = {one: dict(leaves(part, root)) for one, part in distinct.items()}
        for key in dict.fromkeys(key for keys in flat.values() for key in keys):
            values = {one: keys.get(key, ABSENT) for one, keys in flat.items()}
            if len({json.dumps(value) for value in values.values()}) > 1:
                found[key] = [values[id(part)] for part in parts]
    return found


def leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Dotted keys with the values that are no tables."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}")
    else:
        yield path, value


def at(config: dict[str, Any], key: str) -> Any:
    """What a configuration has for a dotted key."""
    node: Any = config
    for word in key.split("."):
        node = node[word] if isinstance(node, dict) and word in node else ABSENT
    return node
