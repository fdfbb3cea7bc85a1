"""What accuracy costs: parameters, FLOPs, time."""

from collections.abc import Callable
from math import log10
from typing import Any

import altair as alt

from cnnlab.quantities import duration, short
from cnnlab.report import chart_parts as parts
from cnnlab.report.chart_theme import SHAPES
from cnnlab.report.content import Report
from cnnlab.report.wording import value, words

WIDTH, HEIGHT = 640, 220
LIMIT, LINE, ABOVE, ROOM = (
    320,
    13,
    12,
    8,
)  # pixels: a name's length and height, how far above its point, beside the plot
Words = Callable[[float], str]
PANELS: list[tuple[str, str, Words]] = [
    ("parameters", "parameters", short),
    ("flops", "FLOPs of one image, forward", short),
    ("fit_seconds", "seconds of training", duration),
]


def cost(report: Report) -> alt.TopLevelMixin | None:
    """Accuracy against each cost that differs, with the Pareto front: nothing else is both cheaper and better."""
    fronts = {field: front(report, field) for field, *_ in PANELS if _differs(report, field)}
    first = list(dict.fromkeys(place for places in fronts.values() for place in places))
    known = [place for place in range(len(report["conditions"])) if any(_has(report, place, field) for field in fronts)]
    others = [place for place in parts.best(report, known, len(known)) if place not in first]
    kept = [*first, *others][: max(parts.MOST, len(first))]
    panels = [
        _panel(report, [place for place in kept if _has(report, place, field)], fronts[field], field, title, say)
        for field, title, say in PANELS
        if field in fronts
    ]
    if not panels:
        return None
    metric = words(report["metric"])
    return alt.vconcat(*panels, spacing=24).properties(
        title=parts.titled(
            f"{metric} and what it costs",
            "Filled and joined by a line: the Pareto front, on which nothing else is both cheaper and better.",
            *(
                [f"{len(kept)} of {len(known)} conditions: the fronts, and the best others."]
                if len(kept) < len(known)
                else []
            ),
        ),
        description=f"Scatter plots of {metric} against cost, for {len(kept)} conditions.",
    )


def _differs(report: Report, field: str) -> bool:
    places = [place for place in range(len(report["conditions"])) if _has(report, place, field)]
    return len({_cost(report, place, field) for place in places}) > 1


def front(report: Report, field: str) -> list[int]:
    """Conditions that no other one beats at the same cost or less, cheapest first."""
    known = [place for place in range(len(report["conditions"])) if _has(report, place, field)]
    found: list[int] = []
    for place in sorted(known, key=lambda at: (_cost(report, at, field), -parts.goodness(report, at))):
        if not found or parts.goodness(report, place) > parts.goodness(report, found[-1]):
            found.append(place)
    return found


def _has(report: Report, place: int, field: str) -> bool:
    condition = report["conditions"][place]
    return condition["mean"] is not None and bool(condition["cost"].get(field))


def _cost(report: Report, place: int, field: str) -> float:
    return float(report["conditions"][place]["cost"][field])  # type: ignore[literal-required]


def _panel(report: Report, kept: list[int], best: list[int], field: str, title: str, say: Words) -> Any:
    rows = [_row(report, place, field, f"{title} {say(_cost(report, place, field))}", place in best) for place in kept]
    x, y = Span([row[field] for row in rows], WIDTH), Span([row["mean"] for row in rows], HEIGHT, linear=True)
    _name(rows, x, y, field)
    metric = report["metric"]
    base = alt.Chart().encode(
        x=alt.X(
            f"{field}:Q",
            title=title + (" (logarithmic)" if x.log else ""),
            scale=alt.Scale(type="log" if x.log else "linear", domain=x.domain, nice=False),
            axis=alt.Axis(format="~s", tickCount=6, grid=False),
        ),
        y=parts.measured("mean", metric, alt.Y, domain=y.domain),
    )
    click = alt.selection_point(name=f"clicked_{field}", fields=["group"], bind="legend")
    legend = alt.Legend(orient="bottom", columns=4)
    looks = {
        "color": alt.Color("group:N", title=None, sort=None, legend=legend),
        "shape": alt.Shape("group:N", title=None, sort=None, scale=alt.Scale(range=SHAPES), legend=legend),
    }
    dots = base.mark_point(size=70, strokeWidth=1.6).encode(
        **looks,
        opacity=alt.when(click).then(alt.value(1)).otherwise(alt.value(0.15)),
        **parts.told(),
    )
    front = base.transform_filter("datum.front")
    line = front.mark_line(strokeDash=[4, 3], strokeWidth=1, aria=False, interpolate="step-after", color="gray")
    filled = front.mark_point(size=70, filled=True, aria=False, opacity=1).encode(**looks)
    layers = [line, dots.add_params(click), filled]
    for align in ("left", "right"):
        side = base.transform_filter(f"datum.named == '{align}'")
        layers.append(
            side.mark_text(aria=False, fontSize=10, limit=LIMIT, dy=-ABOVE, align=align).encode(
                text=alt.Text("condition:N")
            )
        )
    return alt.layer(*layers, data=parts.data(rows)).properties(width=WIDTH, height=HEIGHT)


def _row(report: Report, place: int, field: str, amount: str, on_front: bool) -> parts.Row:
    condition = report["conditions"][place]
    name = parts.name(report, place)
    end = ", on the Pareto front" if on_front else ""
    return {
        "condition": name,
        "group": next(iter(condition["levels"].values()), "all"),
        field: parts.rounded(_cost(report, place, field)),
        "mean": parts.rounded(condition["mean"] or 0),
        "front": on_front,
        "says": f"{name}: {value(report['metric'], condition['mean'])}, {amount}{end}",
    }


class Span:
    """An axis whose domain is known here, so that names can be kept from overlapping."""

    def __init__(self, values: list[float], pixels: int, linear: bool = False) -> None:
        self.pixels = pixels
        self.log = not linear and max(values) > 10 * min(values) > 0
        low, high = (log10(edge) if self.log else edge for edge in (min(values), max(values)))
        margin = 0.08 * (high - low) or abs(low) * 0.1 or 1
        self.low, self.high = low - margin, high + margin
        self.domain = [float(f"{10**edge if self.log else edge:.4g}") for edge in (self.low, self.high)]

    def at(self, value: float) -> float:
        """In pixels."""
        value = log10(value) if self.log else value
        return (value - self.low) / (self.high - self.low) * self.pixels


def _name(rows: list[parts.Row], x: Span, y: Span, field: str) -> None:
    """Says on which side of a point of the front its name stands; where there is no room, none. Best first."""
    spots = [(x.at(row[field]), y.at(row["mean"])) for row in rows]
    taken: list[tuple[float, float, float]] = []  # left, right, height
    for row, (across, up) in sorted(zip(rows, spots, strict=True), key=lambda one: -one[1][1]):
        row["named"] = ""
        if not row["front"]:
            continue
        length = min(LIMIT, 5.5 * len(row["condition"]))
        height = up + ABOVE
        for side, left in (("right", across - length), ("left", across)):
            right = left + length
            crossed = any(left - 5 < at < right + 5 and abs(height - over) < LINE / 2 + 3 for at, over in spots)
            written = any(left < end and right > start and abs(height - over) < LINE for start, end, over in taken)
            if left > -ROOM and right < WIDTH + ROOM and not crossed and not written:
                row["named"] = side
                taken.append((left, right, height))
                break
