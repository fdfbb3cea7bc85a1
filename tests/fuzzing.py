"""What the fuzz tests share: how many examples, what a refusal must be like, and values that nobody would write."""

import contextlib
import json
import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from cnnlab.explain import explain

SIZES = [pytest.param(12, id="few"), pytest.param(400, id="many", marks=pytest.mark.slow)]
ODD = [
    "",
    "null",
    "???",
    "nan",
    "inf",
    "-1",
    "1e400",
    "9" * 400,
    "[]",
    "{}",
    "[[]]",
    "{a: 1}",
    "'",
    "[",
    "{",
    "~",
    "\\",
]
ODD += [
    "${seed}",
    "${nope}",
    "${cell:}",
    "${switch:a,b}",
    "${",
    "..",
    "a/b",
    "a=b",
    "\n",
    "é☃",
    "\u202e",
    "1,2",
    "range(2)",
]


def examples(count: int) -> settings:
    """So many, the same each time."""
    return settings(
        max_examples=count, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )


def require_named(work: Callable[[], Any], *culprits: str) -> None:
    """Whatever goes wrong is told in words that name one of these; without any, in any words."""
    try:
        with contextlib.redirect_stdout(None), contextlib.redirect_stderr(None):
            work()
    except Exception as error:
        told = explain(error)
        if told is None:
            raise
        assert told.strip()
        assert not culprits or any(culprit in told for culprit in culprits), told


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.just(os.uname().nodename),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def files(content: Any) -> Any:
    """Bytes of a JSON file: what it is to hold, part of it, or anything."""
    whole = content.map(lambda value: json.dumps(value).encode())
    return whole | st.binary(max_size=20) | whole.map(lambda text: text[: len(text) // 2]) | st.just(b"[" * 5000)
