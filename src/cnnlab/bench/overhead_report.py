"""What `cnnlab bench overhead` prints and writes."""

from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Column, Table

from cnnlab.atomic import write_json, write_text
from cnnlab.bench.chart import bars
from cnnlab.bench.headlines import Headline
from cnnlab.bench.paired import Rates
from cnnlab.environment import environment

Seconds = dict[str, list[float]]  # a step's, by who made it, in each round
HEADS = ("ms a step", "+ ms", "/ bare loop", "share of the template's + ms")


def report(
    measured: dict[str, Seconds], names: tuple[str, str, str], folder: Path, counts: dict[str, int], words: list[str]
) -> None:
    """A table for each workload: milliseconds of a step, and what is added to a bare loop's.

    names: of the bare loop, of cnnlab, and of whom it is compared with.
    """
    console, lines, headlines = Console(highlight=False, markup=False), [], []
    for workload, seconds in measured.items():
        title = f"{workload}: a training step, CPU; medians of {counts['rounds']} rounds"
        table = Table("", *(Column(head, justify="right") for head in HEADS))
        lines += ["", f"| {title} | {' | '.join(HEADS)} |", "|---|" + "---|" * len(HEADS)]
        for who in seconds:
            cells = row(seconds, who, *names[::2])
            table.add_row(who, *cells)
            lines.append(f"| {who} | {' | '.join(cells)} |")
        console.print(title, style="bold", soft_wrap=True)
        console.print(table)
        headlines += headlines_of(workload, seconds, *names)
        rates = Rates({who: [1 / value for value in values] for who, values in seconds.items()})
        bars(rates, "steps/s", title, folder / f"chart-{workload}.png")
    write_text(folder / "table.md", "\n".join(lines[1:]) + "\n")
    figures = {
        "command": ["cnnlab", "bench", "overhead", *words],
        **counts,
        "step_seconds": measured,
        "headlines": [headline.json() for headline in headlines],
        "environment": environment(torch.device("cpu")),
    }
    write_json(folder / "bench.json", figures)
    console.print(f"folder: {folder}: table.md, bench.json, charts (PNG, SVG)", soft_wrap=True)


def row(seconds: Seconds, who: str, bare: str, template: str) -> list[str]:
    """A table's line."""
    added, whole = more(seconds, who, bare), more(seconds, template, bare)
    share = "" if who == bare else f"{added / whole:.2f}"
    return [f"{1000 * median(seconds[who]):.3f}", f"{1000 * added:+.3f}", f"{ratio(seconds, who, bare):.3f}", share]


def headlines_of(workload: str, seconds: Seconds, bare: str, ours: str, template: str) -> list[Headline]:
    """What a step of ours takes beyond the arithmetic."""
    n = len(seconds[bare])
    added = 1000 * more(seconds, ours, bare)
    of_template = more(seconds, ours, bare) / more(seconds, template, bare)
    times = ratio(seconds, ours, bare)
    return [
        Headline(f"a step beyond the bare loop, {workload}", added, "ms", "the template's", of_template, "lower", n),
        Headline(f"a step, {workload}", 1000 * median(seconds[ours]), "ms", "a bare loop", times, "lower", n),
    ]


def median(values: list[float]) -> float:
    """Of the rounds."""
    return float(np.median(values))


def more(seconds: Seconds, who: str, bare: str) -> float:
    """The median of the rounds' differences."""
    return float(np.median(np.subtract(seconds[who], seconds[bare])))


def ratio(seconds: Seconds, who: str, bare: str) -> float:
    """The median of the rounds' ratios."""
    return float(np.median(np.divide(seconds[who], seconds[bare])))
