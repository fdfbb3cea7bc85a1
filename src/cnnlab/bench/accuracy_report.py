"""What `cnnlab bench accuracy` prints and writes."""

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Column, Table

from cnnlab.atomic import write_json, write_text
from cnnlab.bench.accuracy_turn import Turn
from cnnlab.bench.headlines import Headline
from cnnlab.charts import save
from cnnlab.environment import environment
from cnnlab.errors import UserError

Turns = Mapping[str, Sequence[Turn]]  # by who trained
HEADS = ("s of training", "s of the command", "epochs", "reached", "test accuracy")


def report(
    turns: Turns, names: tuple[str, str], goal: float, experiment: str, folder: Path, command: list[str]
) -> None:
    """A table of medians and of ratios; bench.json; a chart of accuracy against seconds.

    names: ours, and whom it is compared with.

    Raises:
        UserError: nobody reached the goal; all is written before.
    """
    n = len(turns[names[0]])
    title = f"{experiment} to {100 * goal:g} % of val/accuracy; medians, n = {n}"
    heads = [*HEADS, f"/ {names[1]}"]
    table = Table("", *(Column(head, justify="right") for head in heads))
    lines = [f"| {title} | {' | '.join(heads)} |", "|---|" + "---|" * len(heads)]
    for who in turns:
        cells = row(turns, who, names[1], goal)
        table.add_row(who, *cells)
        lines.append(f"| {who} | {' | '.join(cells)} |")
    write_text(folder / "table.md", "\n".join(lines) + "\n")
    figures = {
        "command": command,
        "goal": goal,
        "rounds": n,
        "turns": {who: [turn.json() for turn in own] for who, own in turns.items()},
        "headlines": [headline.json() for headline in headlines(turns, names, goal, experiment)],
        "environment": environment(torch.device("cuda" if torch.cuda.is_available() else "cpu")),
    }
    write_json(folder / "bench.json", figures)
    chart(turns, goal, title, folder / "chart.png")
    console = Console(highlight=False, markup=False)
    console.print(title, style="bold", soft_wrap=True)
    console.print(table)
    console.print(f"folder: {folder}: table.md, bench.json, chart.png, chart.svg", soft_wrap=True)
    best = max(score for own in turns.values() for turn in own for _, score in turn.scores)
    if best < goal:
        raise UserError(f"goal={goal:g}: no epoch of any training reached it; the best was {best:.4f}")


def row(turns: Turns, who: str, other: str, goal: float) -> list[str]:
    """A table's line."""
    own = turns[who]
    found = [at[0] for turn in own if (at := turn.reached(goal))]
    seconds = (median([turn.seconds(goal, of_command) for turn in own]) for of_command in (False, True))
    return [
        *(f"{value:.1f}" if isfinite(value) else "never" for value in seconds),
        f"{np.median(found):g}" if found else "-",
        f"{len(found)} of {len(own)}",
        f"{100 * median([turn.test for turn in own]):.2f} %",
        words_of(ratio(turns, who, other, goal, of_command=False)),
    ]


def ratio(turns: Turns, who: str, other: str, goal: float, of_command: bool) -> float | None:
    """The median of the rounds' ratios, of rounds in which both reached the goal; None if there is none."""
    pairs = [[turn.seconds(goal, of_command) for turn in pair] for pair in zip(turns[who], turns[other], strict=True)]
    ratios = [own / others for own, others in pairs if isfinite(own) and isfinite(others)]
    return median(ratios) if ratios else None


def headlines(turns: Turns, names: tuple[str, str], goal: float, experiment: str) -> list[Headline]:
    """Of training, and of the whole command; none where there is no ratio, or the median is never."""
    found = []
    for of_command, what in ((False, "training"), (True, "the command")):
        value = median([turn.seconds(goal, of_command) for turn in turns[names[0]]])
        times = ratio(turns, *names, goal, of_command)
        if times is not None and isfinite(value):
            said = f"{what} to {100 * goal:g} %, {experiment}"
            found.append(Headline(said, value, "s", names[1], times, "lower", len(turns[names[0]])))
    return found


def median(values: list[float]) -> float:
    """Of the rounds; of an even number with an infinite half the larger middle one."""
    ordered = sorted(values)
    return ordered[len(ordered) // 2] if not isfinite(ordered[-1]) else float(np.median(ordered))


def words_of(times: float | None) -> str:
    """A ratio, or a dash."""
    return "-" if times is None else f"{times:.2f}"


def chart(turns: Turns, goal: float, title: str, path: Path) -> None:
    """Validation accuracy against seconds of training, a line a round, the goal dashed; PNG and SVG."""
    import altair

    rows = [
        {"who": who, "round": n, "seconds": when - turn.trained, "accuracy": score}
        for who, own in turns.items()
        for n, turn in enumerate(own)
        for when, score in turn.scores
    ]
    color = altair.Color("who:N", title=None, scale=altair.Scale(domain=list(turns), range=["#4c78a8", "#e45756"]))
    lines = altair.Chart.from_dict({"data": {"values": rows}, "mark": "line"})
    lines = lines.mark_line(point=True).encode(
        x=altair.X("seconds:Q", title="seconds of training", scale=altair.Scale(domainMin=0)),
        y=altair.Y("accuracy:Q", title="val/accuracy", axis=altair.Axis(format="%"), scale=altair.Scale(zero=False)),
        color=color,
        detail="round:N",
    )
    rule = altair.Chart.from_dict({"data": {"values": [{"goal": goal}]}, "mark": "rule"})
    rule = rule.mark_rule(strokeDash=[6, 4], color="#888888").encode(y="goal:Q")
    save((lines + rule).properties(title=title, width=560, height=300).configure_view(stroke=None), path)
