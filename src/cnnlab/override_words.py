"""Overrides that a program hands in, as the words of a command line."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cnnlab.errors import UserError

Overrides = str | Mapping[str, Any]


def words_of(*overrides: Overrides) -> list[str]:
    """'optim.lr=0.1' for each value of a mapping, nested or with dotted keys; words as they are.

    Raises:
        UserError: a word is no key=value, or a value nothing that a configuration holds.
    """
    words: list[str] = []
    for one in overrides:
        if isinstance(one, str):
            if "=" not in one:
                raise UserError(f"{one}: it is neither group=choice nor key=value")
            words.append(one)
        elif isinstance(one, Mapping):
            words += [f"{key}={text(key, value)}" for key, value in leaves(one)]
        else:
            raise UserError(f"{one!r}: a word as 'optim.lr=0.1' or a mapping is wanted")
    return words


def leaves(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys with their values."""
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def text(key: str, value: Any) -> str:
    """In Hydra's grammar; what is a text stays one, whatever is in it."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int() | float():
            return repr(value)
        case str():
            # Hydra takes backslashes as they are but for those before a quotation mark
            return '"' + re.sub(r'(\\*)("|$)', lambda found: 2 * found[1] + found[2].replace('"', '\\"'), value) + '"'
        case list() | tuple():
            return "[" + ",".join(text(key, item) for item in value) + "]"
        case Mapping():
            return "{" + ",".join(f"{name}:{text(key, item)}" for name, item in value.items()) + "}"
        case _ if hasattr(value, "__fspath__"):
            return text(key, str(value))
    raise UserError(f"{key}={value!r}: {type(value).__name__} is nothing that a configuration holds")
