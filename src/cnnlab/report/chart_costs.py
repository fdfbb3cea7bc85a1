"""What accuracy costs: parameters, FLOPs, time."""

from collections.abc import Callable

import altair as alt

from cnnlab.quantities import duration, short
from cnnlab.report import chart_parts as parts
from cnnlab.report.chart_theme import SHAPES
from cnnlab.report.content import Report

WIDTH, HEIGHT = 640, 230
Words = Callable[[float], str]
PANELS: list[tuple[str, str, str, Words]] = [
    ("parameters", "parameters", "~s", short),
    ("flops", "FLOPs of one image, forward", "~s", short),
    ("fit_seconds", "seconds of training", "~s", duration),
]


def cost(report: Report) -> alt.TopLevelMixin | None:
    """Accuracy against each cost that is known, with the Pareto front: no other condition is both cheaper and better."""
    fronts = {field: front(report, field) for field, *_ in PANELS}
    known = [place for place, c in enumerate(report["conditions"]) if any(_has(report, place, f) for f in fronts)]
    first = list(dict.fromkeys(place for places in fronts.values() for place in places))
    others = [place for place in parts.best(report, known, len(known)) if place not in first]
    kept = [*first, *others][: max(parts.MOST, len(first))]
    panels = [_panel(report, kept, fronts[field], field, title, form, say) for field, title, form, say in PANELS if fronts[field]]
    if not panels:
        return None
    measured = sum(c["mean"] is not None for c in report["conditions"])
    metric = parts.words(report["metric"])
    return alt.vconcat(*panels, spacing=28).properties(
        title=parts.titled(
            f"{metric.capitalize()} and what it costs",
            "Filled, named and joined by a line: the Pareto front, on which nothing else is both cheaper and better.",
            *([f"The fronts and the best others: {len(kept)} of {measured} conditions."] if len(kept) < measured else []),
        ),
        description=f"Scatter plots of {metric} against cost, for {len(kept)} conditions.",
    )


def front(report: Report, field: str) -> list[int]:
    """Conditions that no other one beats at the same cost or less, cheapest first."""
    known = [place for place in range(len(report["conditions"])) if _has(report, place, field)]
    found: list[int] = []
    for place in sorted(known, key=lambda at: (_cost(report, at, field), -_good(report, at))):
        if not found or _good(report, place) > _good(report, found[-1]):
            found.append(place)
    return found


def _has(report: Report, place: int, field: str) -> bool:
    condition = report["conditions"][place]
    return condition["mean"] is not None and bool(condition["cost"].get(field))


def _cost(report: Report, place: int, field: str) -> float:
    return float(report["conditions"][place]["cost"][field])  # type: ignore[literal-required]


def _good(report: Report, place: int) -> float:
    return parts.goodness(report["conditions"][place], report["metric"])


def _panel(
    report: Report, kept: list[int], best: list[int], field: str, title: str, form: str, say: Words
) -> alt.LayerChart:
    metric, conditions = report["metric"], report["conditions"]
    costs = {place: _cost(report, place, field) for place in kept if _has(report, place, field)}
    low, high = min(costs.values()), max(costs.values())
    log = high > 10 * low
    middle = (low * high) ** 0.5 if log else (low + high) / 2
    rows = [
        {
            "condition": (whole := parts.name(conditions[place]["levels"])),
            "group": next(iter(conditions[place]["levels"].values()), "all"),
            field: parts.rounded(amount),
            "mean": parts.rounded(conditions[place]["mean"] or 0),
            "front": place in best,
            "left": amount > middle,
            "says": f"{whole}: {parts.figure(conditions[place]['mean'], metric)}, {title} {say(amount)}"
            + (", on the Pareto front" if place in best else ""),
        }
        for place, amount in costs.items()
    ]
    base = alt.Chart(parts.data(rows)).encode(
        x=alt.X(
            f"{field}:Q",
            title=title + (" (logarithmic)" if log else ""),
            scale=alt.Scale(type="log" if log else "linear", zero=False, padding=24, nice=False),
            axis=alt.Axis(format=form, tickCount=6, grid=False),
        ),
        y=parts.value("mean", metric, alt.Y),
    )
    click = alt.selection_point(name=f"clicked_{field}", fields=["group"], bind="legend")
    legend = alt.Legend(orient="right", symbolLimit=50)
    color = alt.Color("group:N", title=None, sort=None, legend=legend)
    shape = alt.Shape("group:N", title=None, sort=None, scale=alt.Scale(range=SHAPES), legend=legend)
    dots = base.mark_point(size=70, strokeWidth=1.6).encode(
        color=color,
        shape=shape,
        opacity=alt.when(click).then(alt.value(1)).otherwise(alt.value(0.15)),
        description="says:N",
        tooltip=["condition:N", alt.Tooltip("mean:Q", format=parts.number_format(metric)), alt.Tooltip(f"{field}:Q", format=",.3~s")],
    )
    on_front = base.transform_filter("datum.front")
    line = on_front.mark_line(strokeDash=[4, 3], strokeWidth=1, aria=False, interpolate="step-after", color="gray")
    filled = on_front.mark_point(size=70, filled=True, aria=False, opacity=1).encode(color=color, shape=shape)
    names = on_front.mark_text(aria=False, fontSize=10, limit=300, dy=-9)
    return (
        (line + dots.add_params(click) + filled)
        + names.transform_filter("!datum.left").mark_text(aria=False, fontSize=10, limit=300, dy=-10, align="left").encode(text="condition:N")
        + names.transform_filter("datum.left").mark_text(aria=False, fontSize=10, limit=300, dy=-10, align="right").encode(text="condition:N")
    ).properties(width=WIDTH, height=HEIGHT)
