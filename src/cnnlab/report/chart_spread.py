"""How far seeds lie apart, and training from testing."""

import altair as alt

from cnnlab.report import chart_parts as parts
from cnnlab.report.content import Report
from cnnlab.report.wording import difference, value, words
from cnnlab.report.wording import seeds as counted

WIDTH = 460


def seeds(report: Report) -> alt.TopLevelMixin | None:
    """A dot for each seed, a bar at the mean."""
    metric = report["metric"]
    known = [place for place, one in enumerate(report["conditions"]) if one["values"]]
    kept = parts.best(report, known)
    if not kept:
        return None
    rows = [
        {
            "condition": parts.name(report, place),
            "seed": seed,
            "value": parts.rounded(of),
            "mean": parts.rounded(report["conditions"][place]["mean"] or 0),
            "says": f"{parts.name(report, place)}, seed {seed}: {value(metric, of)}",
            "said": f"{parts.name(report, place)}, mean: {value(metric, report['conditions'][place]['mean'])}, "
            + counted(report["conditions"][place]),
        }
        for place in kept
        for seed, of in report["conditions"][place]["values"].items()
    ]
    base = alt.Chart().encode(y=_names(rows))
    dots = base.mark_point(size=42, strokeWidth=1.5, opacity=0.9).encode(
        x=parts.measured("value", metric, alt.X), **parts.told()
    )
    # one row of each condition: its mean stands in all of them
    means = base.transform_aggregate(groupby=["condition", "mean", "said"]).mark_tick(thickness=2.5, size=15, opacity=1)
    ink = means.encode(x=alt.X("mean:Q"), **parts.told("said"))
    return alt.layer(dots, ink, data=parts.data(rows)).properties(
        width=WIDTH,
        height=alt.Step(19),
        title=parts.titled(
            f"{words(metric)} of each seed",
            "Circles: seeds; bars: their mean.",
            *parts.left_out(len(kept), len(known)),
            width=90,
        ),
        description=f"Dot plot of {words(metric)} of each seed, for {len(kept)} conditions, best first.",
    )


def gap(report: Report) -> alt.TopLevelMixin | None:
    """Training less test accuracy: what was learnt by heart."""
    known = [place for place, one in enumerate(report["conditions"]) if one["gap"] is not None]
    kept = parts.best(report, known)
    if not kept:
        return None
    rows = []
    for place in sorted(kept, key=lambda place: report["conditions"][place]["gap"] or 0):
        one = report["conditions"][place]
        middle, spread = one["gap"] or 0, one["gap_std"] or 0
        rows.append(
            {
                "condition": parts.name(report, place),
                "gap": parts.rounded(100 * middle),
                "low": parts.rounded(100 * (middle - spread)),
                "high": parts.rounded(100 * (middle + spread)),
                "says": f"{parts.name(report, place)}: {difference('accuracy', middle)}"
                + (f" ± {100 * spread:.1f}" if one["gap_std"] is not None else ""),
            }
        )
    base = alt.Chart().encode(y=_names(rows))
    title = "training less test accuracy (percentage points)"
    bars = base.mark_bar(size=9, opacity=0.75).encode(
        x=alt.X("gap:Q", title=title, axis=alt.Axis(format="~g", tickCount=6)),
        **parts.told(),
    )
    spread = base.mark_rule(strokeWidth=1.4, aria=False).encode(x=alt.X("low:Q"), x2=alt.X2("high:Q"))
    return alt.layer(bars, spread, data=parts.data(rows)).properties(
        width=WIDTH,
        height=alt.Step(19),
        title=parts.titled(
            "Generalization gap",
            "Bars: training accuracy less test accuracy"
            + ("." if report["configuration"] else "; lines: one standard deviation over seeds."),
            *parts.left_out(len(kept), len(known)),
            width=90,
        ),
        description=f"Bar chart of training less test accuracy for {len(kept)} conditions, smallest first.",
    )


def _names(rows: list[parts.Row]) -> alt.Y:
    order = list(dict.fromkeys(row["condition"] for row in rows))
    axis = alt.Axis(ticks=False, domain=False, grid=True, labelPadding=8)
    return alt.Y("condition:N", title=None, sort=order, axis=axis)
