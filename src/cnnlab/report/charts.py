"""The report's charts, by name."""

from collections.abc import Callable, Mapping
from pathlib import Path

import altair as alt

from cnnlab.charts import save
from cnnlab.report import chart_costs, chart_curves, chart_effects, chart_images, chart_spread
from cnnlab.report.chart_theme import config
from cnnlab.report.content import Report

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
    drawn = {kind.__name__: kind(report) for kind in KINDS}
    return {name: chart for name, chart in drawn.items() if chart is not None}


def write_charts(charts: Mapping[str, Chart], folder: Path) -> None:
    """Each as SVG and PNG, for a white page."""
    for name, chart in charts.items():
        save(chart, folder / name, config(dark=False))
