"""What the report's charts share: which conditions are drawn, their names, numbers as people read them."""

import textwrap
from collections.abc import Sequence
from typing import Any, TypeVar

import altair as alt

from cnnlab.report.content import Condition, Levels, Report

MOST = 24  # conditions that a chart still tells apart
SIGNIFICANT = 0.05
Axis = TypeVar("Axis", alt.X, alt.Y)
Row = dict[str, Any]  # of a chart's data; its names are those of the table under the chart


def name(levels: Levels) -> str:
    """Of a condition, or of what an effect was measured within."""
    return " · ".join(levels.values())


def is_share(metric: str) -> bool:
    """Of images: drawn in percent, and more of it is better."""
    return "accuracy" in metric


def words(metric: str) -> str:
    """'test/accuracy' as in a sentence."""
    return metric.replace("val/", "validation/").replace("train/", "training/").replace("/", " ").replace("_", " ")


def number_format(metric: str) -> str:
    return ".1%" if is_share(metric) else ".3~f"


def figure(value: float | None, metric: str) -> str:
    """'93.1 %'."""
    if value is None:
        return "unknown"
    return f"{100 * value:.1f} %" if is_share(metric) else f"{value:.3f}"


def points(difference: float, metric: str) -> float:
    """Of shares in percentage points."""
    return 100 * difference if is_share(metric) else difference


def unit(metric: str) -> str:
    return "percentage points" if is_share(metric) else words(metric)


def signed(value: float) -> str:
    return f"{value:+.1f}".replace("-", "−") if abs(value) >= 0.05 else "0.0"


def goodness(condition: Condition, metric: str) -> float:
    mean = condition["mean"]
    if mean is None:
        return float("-inf")
    return mean if is_share(metric) else -mean


def best(report: Report, places: Sequence[int], most: int = MOST) -> list[int]:
    """Of these conditions the best that have a value, best first, at most so many."""
    known = [place for place in places if report["conditions"][place]["mean"] is not None]
    return sorted(known, key=lambda place: -goodness(report["conditions"][place], report["metric"]))[:most]


def shown(kept: int, total: int, what: str = "conditions") -> list[str]:
    """A line of the subtitle, where something was left out."""
    return [f"The best {kept} of {total} {what}."] if kept < total else []


def titled(title: str, *subtitle: str) -> alt.TitleParams:
    lines = [line for part in subtitle for line in textwrap.wrap(part, 105)]
    return alt.TitleParams(text=title, subtitle=lines)


def wrapped(text: str, width: int) -> str:
    """In lines, for a header whose labelExpr is LINES."""
    return "\n".join(line for part in text.split("\n") for line in textwrap.wrap(part, width))


LINES = "split(datum.label, '\\n')"


def data(rows: Sequence[Row]) -> alt.Data:
    return alt.Data(values=list(rows))


def value(field: str, metric: str, channel: type[Axis], title: str | None = None) -> Axis:
    """An axis of the metric, which need not begin at zero."""
    axis = alt.Axis(format="~%" if is_share(metric) else "~g", tickCount=6)
    return channel(f"{field}:Q", title=title or words(metric), scale=alt.Scale(zero=False), axis=axis)


def rounded(value: float) -> float:
    """Six digits: the page holds thousands of numbers."""
    return float(f"{value:.6g}")
