"""What a comparison prints and writes."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from cnnlab.atomic import write_json, write_text
from cnnlab.bench.chart import bars
from cnnlab.bench.headlines import Headline
from cnnlab.bench.paired import Rates


def compare(
    measured: Rates, baselines: list[str], ours: str, unit: str, title: str, folder: Path, figures: dict[str, Any]
) -> None:
    """A table of medians and of ratios to the baselines, printed and as table.md; bench.json, and a chart.

    ours: whose ratios are the headlines. unit: of the rates. figures: what bench.json has besides the ratios.
    """
    table = Table("", Column(unit, justify="right"))
    for name in baselines:
        table.add_column(f"/ {name}", justify="right")
    lines = [f"| {title} | {unit} | {' | '.join(f'/ {name}' for name in baselines)} |"]
    lines.append("|---|" + "---|" * (1 + len(baselines)))
    for name in measured.rates:
        median = measured.median(name)
        cells = [f"{median:,.0f}" if median >= 100 else f"{median:.1f}"]
        cells += [f"{measured.ratio(name, other):.2f}" for other in baselines]
        table.add_row(name, *cells)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    write_text(folder / "table.md", "\n".join(lines) + "\n")
    ratios = {name: {other: measured.ratio(name, other) for other in baselines} for name in measured.rates}
    rounds = max(len(rates) for rates in measured.rates.values())
    headlines = [
        Headline(f"{ours}, {title}", measured.median(ours), unit, other, ratio, "higher", rounds).json()
        for other, ratio in ratios.get(ours, {}).items()
        if other != ours
    ]
    write_json(folder / "bench.json", {**figures, "ratios": ratios, "headlines": headlines})
    bars(measured, unit, title, folder / "chart.png")
    console = Console(highlight=False, markup=False)
    console.print(f"{title}; medians of {rounds} rounds", style="bold", soft_wrap=True)
    console.print(table)
    console.print(f"folder: {folder}: table.md, bench.json, chart.png, chart.svg", soft_wrap=True)
