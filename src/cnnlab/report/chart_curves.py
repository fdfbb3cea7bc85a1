"""Accuracy while training."""

from typing import Any

import altair as alt

from cnnlab.report import chart_parts as parts
from cnnlab.report.chart_theme import DASHES
from cnnlab.report.content import Curve, Report
from cnnlab.report.wording import together, value, without_factors, words

EPOCHS = 120  # of a curve; of longer ones every second, third, ... is drawn
PANELS = range(2, 10)
TOGETHER = 6  # curves in one panel

ABOUT = "Lines: mean over seeds; bands: from the lowest to the highest seed. A click on a name lights its line up."


def learning_curves(report: Report) -> alt.TopLevelMixin | None:
    """A line for each condition's mean, a band over its seeds."""
    metric = _metric(report["curves"])
    curves = {curve["condition"]: curve for curve in report["curves"] if curve["metric"] == metric}
    kept = parts.best(report, sorted(curves))
    if not kept:
        return None
    panel = _panel_factor(report, kept)
    rows = [row for place in kept for row in _rows(report, curves[place], panel)]
    layers: alt.LayerChart = _layers(rows, metric).properties(
        data=parts.data(rows), width=300 if panel else 560, height=190 if panel else 340
    )
    title = parts.titled(
        f"{words(metric)} while training",
        *([] if report["configuration"] else [ABOUT]),
        *parts.left_out(len(kept), len(curves)),
    )
    order = list(dict.fromkeys(row["panel"] for row in rows))
    chart = layers.facet(alt.Facet("panel:N", title=None, sort=order), columns=2) if panel else layers
    return chart.properties(
        title=title,
        description=f"Line chart of {words(metric)} over epochs, a line for each of {len(kept)} conditions.",
    )


def _metric(curves: list[Curve]) -> str:
    """What is measured on images that were not trained on, if anything is."""
    order = ["val/accuracy", "test/accuracy", "val/loss", "train/accuracy"]
    known = {curve["metric"] for curve in curves}
    return next((metric for metric in order if metric in known), min(known, default=""))


def _panel_factor(report: Report, kept: list[int]) -> str | None:
    """The first factor whose levels make a handful of panels, where one panel would be too full."""
    if len(kept) <= TOGETHER or len(report["factors"]) < 2:
        return None
    levels = [report["conditions"][place]["levels"] for place in kept]
    fits = (factor["name"] for factor in report["factors"] if len({of[factor["name"]] for of in levels}) in PANELS)
    return next(fits, None)


def _rows(report: Report, curve: Curve, panel: str | None) -> list[parts.Row]:
    levels = dict(report["conditions"][curve["condition"]]["levels"])
    whole = parts.name(report, curve["condition"])
    head = levels.pop(panel) if panel else ""
    end = f"{whole}: {value(curve['metric'], curve['mean'][-1])} after epoch {curve['epoch'][-1]}"
    step = -(-len(curve["epoch"]) // EPOCHS)
    places = sorted({*range(0, len(curve["epoch"]), step), len(curve["epoch"]) - 1})
    return [
        {
            "panel": head,
            "line": together(levels) or head or without_factors(report),
            "epoch": curve["epoch"][at],
            "mean": parts.rounded(curve["mean"][at]),
            "lowest": parts.rounded(curve["low"][at]),
            "highest": parts.rounded(curve["high"][at]),
            "seeds": curve["n"][at],
            "says": end,
        }
        for at in places
    ]


def _layers(rows: list[parts.Row], metric: str) -> Any:
    names = list(dict.fromkeys(row["line"] for row in rows))
    columns = max(1, min(3, 90 // (max(map(len, names)) + 6)))
    legend = alt.Legend(orient="bottom", columns=columns, symbolType="stroke", symbolSize=500, symbolStrokeWidth=2)
    click = alt.selection_point(name="clicked", fields=["line"], bind="legend")
    color = alt.Color("line:N", title=None, scale=alt.Scale(domain=names), legend=legend)
    dash = alt.StrokeDash("line:N", title=None, scale=alt.Scale(domain=names, range=DASHES), legend=legend)
    base = alt.Chart().encode(x=alt.X("epoch:Q", title="epoch", axis=alt.Axis(tickMinStep=1, grid=False)))
    # a field of its own: two channels of one field would share a legend
    band = (
        base.transform_calculate(of="datum.line")
        .mark_area(aria=False)
        .encode(
            y=parts.measured("lowest", metric, alt.Y),
            y2=alt.Y2("highest:Q"),
            fill=alt.Fill("line:N", title=None, scale=alt.Scale(domain=names), legend=legend),
            fillOpacity=alt.when(click).then(alt.value(0.15)).otherwise(alt.value(0.03)),
        )
    )
    line = base.mark_line(strokeWidth=1.8).encode(
        y=parts.measured("mean", metric, alt.Y),
        color=color,
        strokeDash=dash,
        strokeOpacity=alt.when(click).then(alt.value(1)).otherwise(alt.value(0.12)),
        description=alt.Description("says:N"),
        tooltip=[
            alt.Tooltip("line:N", title="condition"),
            alt.Tooltip("epoch:Q"),
            alt.Tooltip("mean:Q", format=parts.number_format(metric)),
            alt.Tooltip("seeds:Q"),
        ],
    )
    return band + line.add_params(click)
