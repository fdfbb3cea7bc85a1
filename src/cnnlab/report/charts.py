"""The report's charts, by name."""

from collections.abc import Callable, Mapping
from pathlib import Path

import altair as alt

from cnnlab.charts import save
from cnnlab.report import chart_costs, chart_curves, chart_effects, chart_images, chart_spread
from cnnlab.report.chart_theme import config
from cnnlab.report.content import Report

SUFFIXES = (".svg", ".png")
Chart = alt.TopLevelMixin
KINDS: list[Callable[[Report], Chart | None]] = [
    chart_curves.learning_curves,
    chart_costs.cost,
    chart_effects.effects,
    chart_effects.interactions,
    chart_spread.seeds,
    chart_spread.gap,
    chart_images.reliability,
    chart_images.confusion,
    chart_images.per_class,
]


def charts(report: Report) -> dict[str, Chart]:
    """Those that there is data for."""
    drawn = {
        kind.__name__: kind(report) for kind in KINDS if not (report["configuration"] and kind is chart_spread.seeds)
    }
    return {name: chart for name, chart in drawn.items() if chart is not None}


def write_charts(charts: Mapping[str, Chart], folder: Path) -> None:
    """Each as SVG and PNG, for a white page; those of an earlier report that are not drawn any more are taken away."""
    for kind in KINDS:
        name = kind.__name__
        if name in charts:
            save(charts[name], folder / name, config(dark=False))
        else:
            for suffix in SUFFIXES:
                (folder / f"{name}{suffix}").unlink(missing_ok=True)


def plots(folder: Path) -> dict[str, Path]:
    """The PNGs of the charts that lie there, by name."""
    there = {kind.__name__: folder / f"{kind.__name__}.png" for kind in KINDS}
    return {name: file for name, file in there.items() if file.exists()}
