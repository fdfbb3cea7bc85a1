"""What the report's charts share: which conditions are drawn, titles that say what was left out, axes."""

import textwrap
from collections.abc import Sequence
from typing import Any, TypeVar

import altair as alt

from cnnlab.report.conditions import lower_is_better
from cnnlab.report.content import Report
from cnnlab.report.wording import is_share, together, without_factors, words

MOST = 24  # conditions that a chart still tells apart
LINES = "split(datum.label, '\\n')"  # labels of a header that are `wrapped`
Axis = TypeVar("Axis", alt.X, alt.Y)
Row = dict[str, Any]  # of a chart's data


def name(report: Report, place: int) -> str:
    """Of a condition."""
    return together(report["conditions"][place]["levels"]) or without_factors(report)


def scaled(metric: str, number: float) -> float:
    """Differences of shares in percentage points."""
    return rounded(100 * number if is_share(metric) else number)


def unit(metric: str) -> str:
    """Of a difference."""
    return f"difference in {words(metric)}" + (" (percentage points)" if is_share(metric) else "")


def number_format(metric: str) -> str:
    """For a tooltip."""
    return ".1%" if is_share(metric) else ".3~f"


def goodness(report: Report, place: int) -> float:
    """The more the better, whatever the metric."""
    mean = report["conditions"][place]["mean"]
    if mean is None:
        return float("-inf")
    return -mean if lower_is_better(report["metric"]) else mean


def best(report: Report, places: Sequence[int], most: int = MOST) -> list[int]:
    """Of these conditions those with a value, best first, at most so many."""
    known = [place for place in places if report["conditions"][place]["mean"] is not None]
    return sorted(known, key=lambda place: -goodness(report, place))[:most]


def left_out(kept: int, total: int, what: str = "conditions", which: str = "best") -> list[str]:
    """'The best 24 of 60 conditions.', for a subtitle, where that is not all of them."""
    return [f"The {which} {kept} of {total} {what}."] if kept < total else []


def titled(title: str, *subtitle: str, width: int = 105) -> alt.TitleParams:
    """width: of the subtitle's lines, in characters."""
    lines = [line for part in subtitle for line in textwrap.wrap(part, width)]
    return alt.TitleParams(text=title[:1].upper() + title[1:], subtitle=lines)


def wrapped(text: str, width: int) -> str:
    """In lines, for a header."""
    return "\n".join(line for part in text.split("\n") for line in textwrap.wrap(part, width))


def measured(field: str, metric: str, channel: type[Axis], **scale: Any) -> Axis:
    """An axis of the metric, which need not begin at zero."""
    axis = alt.Axis(format="~%" if is_share(metric) else "~g", tickCount=6)
    return channel(f"{field}:Q", title=words(metric), scale=alt.Scale(**{"zero": False, **scale}), axis=axis)


def told(field: str = "says") -> dict[str, Any]:
    """What a mark says to those who point at it, and to those who do not see it."""
    return {"description": alt.Description(f"{field}:N"), "tooltip": [alt.Tooltip(f"{field}:N", title=" ")]}


def printed(value: str) -> dict[str, Any]:
    """A cell's text, black or white, whichever stands out from the cell's colour."""
    bright = alt.when(f"luminance(scale('color', {value})) > 0.35")
    return {"text": alt.Text("text:N"), "color": bright.then(alt.value("black")).otherwise(alt.value("white"))}


def data(rows: Sequence[Row]) -> alt.InlineData:
    return alt.InlineData(values=list(rows))


def rounded(value: float) -> float:
    """Six digits: the page holds thousands of numbers."""
    return float(f"{value:.6g}")
