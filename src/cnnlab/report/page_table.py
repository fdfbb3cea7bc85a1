"""A long table of the page: what the script needs to draw, sort and search it."""

from dataclasses import dataclass
from typing import Any, Literal

from cnnlab.report.probability import p_value
from cnnlab.report.sheets import NOTHING

Kind = Literal["text", "name", "prose", "number", "code"]  # prose: of any words, however long


@dataclass(frozen=True)
class Value:
    """What is shown, what it is sorted by, and where it leads."""

    text: str
    by: float | None = None
    href: str = ""


@dataclass(frozen=True)
class PageTable:
    """about: what a reader must know of it."""

    title: str
    about: str
    columns: list[tuple[str, Kind]]
    rows: list[list[Value]]

    def as_data(self) -> dict[str, Any]:
        """For the script: text, sort key if it is not the text, link if there is one."""
        packed = [[_packed(one) for one in row] for row in self.rows]
        return {"columns": [{"name": name, "kind": kind} for name, kind in self.columns], "rows": packed}


def _packed(one: Value) -> list[Any]:
    return [one.text, one.by, one.href] if one.href else [one.text, one.by] if one.by is not None else [one.text]


def number(of: float | None, form: str) -> Value:
    return Value(NOTHING) if of is None else Value(f"{of:{form}}", of)


def probability(p: float | None) -> Value:
    return Value(NOTHING) if p is None else Value(p_value(p), p)
