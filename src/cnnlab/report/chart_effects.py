"""What levels of factors change, and what pairs of them change together."""

from collections.abc import Sequence
from typing import Any

import altair as alt

from cnnlab.report import chart_parts as parts
from cnnlab.report.conditions import ALPHA
from cnnlab.report.content import Effect, Estimate, Interaction, Report
from cnnlab.report.ingredients import SUM_OF_SINGLES, WITH
from cnnlab.report.probability import p_value
from cnnlab.report.wording import difference, together, words

ROWS = 24  # of effects of a factor
MAPS = 6  # heat maps
AVERAGE, AGAINST = "average", "against "
SIGNED = "(datum.value > 0 ? '+' : '') + format(datum.value, '~g')"


def effects(report: Report) -> alt.TopLevelMixin | None:
    """A forest plot for each factor: differences from the baseline with their intervals."""
    metric = report["metric"]
    known = [one for one in report["effects"] if one["estimate"]["mean"] is not None]
    factors = dict.fromkeys(one["factor"] for one in known)
    plots = [_forest(metric, factor, [one for one in known if one["factor"] == factor]) for factor in factors]
    if not plots:
        return None
    return alt.vconcat(*plots, spacing=30).properties(
        title=parts.titled(
            f"What each level changes in {words(metric)}",
            "Mean difference from the baseline, paired by seed, with its 95 % interval. "
            f"Filled: p < {ALPHA:g} after Holm's correction; open: not, or untested.",
            width=100,
        ),
        description=f"Forest plot of {len(known)} differences in {words(metric)}, with their intervals.",
    )


def _forest(metric: str, factor: str, effects: Sequence[Effect]) -> Any:
    kept = sorted(effects, key=lambda one: -abs(one["estimate"]["mean"] or 0))[:ROWS]
    shown = [one for one in effects if one in kept]
    rows = [_effect(metric, one) for one in shown]
    if {row["within"] for row in rows} == {AVERAGE}:  # no other factor: the levels lie along one axis
        rows = [
            {**row, "level": AGAINST + one["baseline"], "within": one["level"]}
            for row, one in zip(rows, shown, strict=True)
        ]
    levels = list(dict.fromkeys(row["level"] for row in rows))
    fewer = parts.left_out(len(rows), len(effects), "differences", "largest")
    # one above the other rather than facets: Vega-Lite warns of those whose heights differ
    panels = [
        _panel(metric, level, [row for row in rows if row["level"] == level], last=level == levels[-1])
        for level in levels
    ]
    title = alt.TitleParams(factor, fontSize=13, subtitle=fewer, offset=20 if fewer else 0)
    return alt.vconcat(*panels, spacing=8).resolve_scale(x="shared").properties(title=title)


def _panel(metric: str, level: str, rows: Sequence[parts.Row], last: bool) -> Any:
    """last: below it stands the axis of all."""
    y = alt.Axis(ticks=False, domain=False, grid=True, labelPadding=8)
    base = alt.Chart().encode(y=alt.Y("within:N", title=None, sort=None, axis=y))
    axis = alt.Axis(labelExpr=SIGNED, tickCount=7, labels=last, ticks=last, domain=last)
    x = alt.X("difference:Q", title=parts.unit(metric) if last else None, axis=axis)
    zero = base.mark_rule(strokeWidth=1.2, aria=False).encode(x=alt.datum(0), y=alt.value(0), y2=alt.value("height"))
    interval = base.mark_rule(strokeWidth=1.6, aria=False, invalid=None).encode(x=alt.X("low:Q"), x2=alt.X2("high:Q"))
    rings = base.mark_point(size=55, strokeWidth=1.6, opacity=1, invalid=None).encode(x=x, **parts.told())
    # no filter: it would give the layer data of its own
    only = alt.when("datum.significant").then(alt.value(1)).otherwise(alt.value(0))
    filled = base.mark_point(size=55, filled=True, aria=False, invalid=None).encode(x=x, opacity=only)
    return alt.layer(zero, interval, filled, rings, data=parts.data(rows)).properties(
        width=460, height=alt.Step(19), title=alt.TitleParams(level, fontSize=12, offset=4)
    )


def _effect(metric: str, one: Effect) -> parts.Row:
    where = together(one["within"]) or AVERAGE
    of = one["estimate"]
    middle = of["mean"] or 0  # where an interval that is not known has both its ends
    return {
        "level": f"{one['level']}, {AGAINST}{one['baseline']}",
        "within": where,
        "difference": parts.scaled(metric, middle),
        "low": parts.scaled(metric, middle if of["low"] is None else of["low"]),
        "high": parts.scaled(metric, middle if of["high"] is None else of["high"]),
        "n": of["n"],
        "p (Holm)": of["p_holm"],
        "significant": _significant(of),
        "says": f"{where}: {one['level']} against {one['baseline']} {_said(metric, of)}",
    }


def _significant(of: Estimate) -> bool:
    return of["p_holm"] is not None and of["p_holm"] < ALPHA


def _said(metric: str, of: Estimate) -> str:
    said = difference(metric, of["mean"])
    if of["low"] is not None:
        said += f", from {difference(metric, of['low'], unit=False)} to {difference(metric, of['high'], unit=False)}"
    return said + (f", p = {p_value(of['p_holm'])}" if of["p_holm"] is not None else "") + f", n = {of['n']}"


def interactions(report: Report) -> alt.TopLevelMixin | None:
    """Heat maps: + where two levels bring more together than apart, - where they stand in for one another."""
    metric = report["metric"]
    pairs = (one for one in report["interactions"] if one["second"][1] != SUM_OF_SINGLES)  # which is a map of one cell
    known = [one for one in pairs if one["estimate"]["mean"] is not None]
    groups = {key: [one for one in known if _map(one) == key] for key in dict.fromkeys(map(_map, known))}
    if not groups:
        return None
    kept = sorted(groups, key=lambda key: -max(abs(one["estimate"]["mean"] or 0) for one in groups[key]))[:MAPS]
    most = max(abs(parts.scaled(metric, one["estimate"]["mean"] or 0)) for key in kept for one in groups[key])
    maps = [_heat_map(metric, key[-1], groups[key], most) for key in groups if key in kept]
    unit = " in percentage points" if "points" in parts.unit(metric) else ""
    return alt.concat(*maps, columns=2, spacing=24).properties(
        title=parts.titled(
            f"Which levels help one another ({words(metric)})",
            f"The effect of both less the sum of the effects of each{unit}: above 0 they help, below 0 they stand "
            f"in for one another. * p < {ALPHA:g} after Holm's correction.",
            *parts.left_out(len(kept), len(groups), "maps", "strongest"),
            width=100,
        ),
        description=f"Heat maps of {sum(len(groups[key]) for key in kept)} interactions in {words(metric)}.",
    )


def _side(factor: str, level: str) -> tuple[str, str]:
    """What names an axis, and a place along it: ingredients with and without which there are cells share one."""
    return ("ingredient", factor) if level == WITH else (factor, level)


def _map(one: Interaction) -> tuple[str, str, str]:
    return _side(*one["first"])[0], _side(*one["second"])[0], together(one["within"]) or AVERAGE


def _heat_map(metric: str, within: str, pairs: Sequence[Interaction], most: float) -> Any:
    rows = [
        {
            "within": within,
            "first": _side(*one["first"])[1],
            "second": _side(*one["second"])[1],
            "interaction": parts.scaled(metric, (of := one["estimate"])["mean"] or 0),
            "text": difference(metric, of["mean"], unit=False) + (" *" if _significant(of) else ""),
            "says": f"{within}: {_side(*one['first'])[1]} with {_side(*one['second'])[1]} {_said(metric, of)}",
        }
        for one in pairs
    ]
    axis = alt.Axis(domain=False, ticks=False, labelLimit=150)
    base = alt.Chart().encode(
        x=alt.X(
            "second:N",
            title=_side(*pairs[0]["second"])[0],
            sort=None,
            axis=axis.copy(),
            scale=alt.Scale(paddingInner=0.03),
        ),
        y=alt.Y(
            "first:N", title=_side(*pairs[0]["first"])[0], sort=None, axis=axis, scale=alt.Scale(paddingInner=0.06)
        ),
    )
    scale = alt.Scale(domain=[-most, most], domainMid=0, interpolate="rgb")
    cells = base.mark_rect().encode(
        color=alt.Color("interaction:Q", scale=scale, legend=None),
        **parts.told(),
    )
    text = base.mark_text(aria=False, fontSize=11).encode(**parts.printed("datum.interaction"))
    return alt.layer(cells, text, data=parts.data(rows)).properties(
        width=alt.Step(62), height=alt.Step(32), title=alt.TitleParams(within, fontSize=12)
    )
