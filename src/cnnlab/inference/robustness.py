"""Accuracy under corruptions, as a table and a plot."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

import altair as alt
from rich.table import Table

from cnnlab.charts import save
from cnnlab.data.corruptions import SEVERITIES
from cnnlab.report.chart_parts import data

Accuracies = Mapping[str, Sequence[float]]  # corruption -> at severities 1 to 5


def robustness_table(found: Accuracies, clean: float) -> Table:
    """Percent, a row for each corruption."""
    table = Table(title=f"accuracy in % by severity (clean images: {100 * clean:.1f})", title_justify="left")
    table.add_column("corruption")
    for severity in (*map(str, SEVERITIES), "mean"):
        table.add_column(severity, justify="right")
    for name, values in found.items():
        table.add_row(name.replace("_", " "), *(f"{100 * value:.1f}" for value in (*values, fmean(values))))
    if len(found) > 1:
        columns = [fmean(column) for column in zip(*found.values(), strict=True)]
        table.add_section()
        table.add_row("mean", *(f"{100 * value:.1f}" for value in (*columns, fmean(columns))))
    return table


def robustness_chart(found: Accuracies, clean: float, path: Path) -> None:
    """A small panel for each corruption, as SVG and PNG."""
    rows = [
        {"corruption": name.replace("_", " "), "severity": severity, "accuracy": 100 * value}
        for name, values in found.items()
        for severity, value in zip((0, *SEVERITIES), (clean, *values), strict=True)
    ]
    base = alt.Chart(data(rows)).encode(
        x=alt.X("severity:O", axis=alt.Axis(labelAngle=0), title="severity (0: clean)"),
        y=alt.Y("accuracy:Q", scale=alt.Scale(domain=[0, 100]), title="accuracy in %"),
    )
    panels = (base.mark_line(color="#666") + base.mark_point(filled=True, size=45, color="#0b5fa5")).properties(
        width=130, height=110
    )
    save(
        panels.facet(alt.Facet("corruption:N", title=None, sort=[name.replace("_", " ") for name in found]), columns=5),
        path,
    )
