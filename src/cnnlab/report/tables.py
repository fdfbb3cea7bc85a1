"""The report's tables (main, of effects, of costs), as CSV, Markdown, LaTeX, and for the terminal."""

import csv
import io
from collections.abc import Callable

from rich.console import Group

from cnnlab.report.content import Report
from cnnlab.report.latex import latex
from cnnlab.report.markdown import markdown
from cnnlab.report.sheets import Sheet, results
from cnnlab.report.sheets_of_costs import costs
from cnnlab.report.sheets_of_effects import effects
from cnnlab.report.terminal import fits, terminal

Form = Callable[[Report, bool], Sheet | None]


def table_csv(report: Report) -> str:
    """A line for each condition, numbers in full; cells_failed: how many of its cells are; seed_0: its value."""
    conditions = report["conditions"]
    names = [factor["name"] for factor in report["factors"]]
    states = list(dict.fromkeys(state for one in conditions for state in one["states"]))
    seeds = sorted({seed for one in conditions for seed in one["values"]}, key=lambda seed: (len(seed), seed))
    costs_of = [{str(name): number for name, number in one["cost"].items()} for one in conditions]
    figures = list(dict.fromkeys(name for cost in costs_of for name in cost))
    head = [*names, "metric", "n", "mean", "std", "best", "not_worse", "untested", "gap", "gap_std"]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*head, *(f"cells_{state}" for state in states), *figures, *(f"seed_{seed}" for seed in seeds)])
    for one, cost in zip(conditions, costs_of, strict=True):
        levels = [one["levels"][name] for name in names]
        figure = [one["n"], one["mean"], one["std"], one["best"], one["not_worse"], one["untested"]]
        figure += [one["gap"], one["gap_std"]]
        counts = [one["states"].get(state, 0) for state in states]
        spent = [cost.get(name) for name in figures]
        writer.writerow([*levels, report["metric"], *figure, *counts, *spent, *map(one["values"].get, seeds)])
    return file.getvalue()


def table_md(report: Report) -> str:
    """The main table, that of effects where the design has one, and that of costs."""
    return "\n".join(markdown(sheet) for sheet in (results(report), effects(report), costs(report)) if sheet)


def table_tex(report: Report) -> str:
    r"""The same; the document needs \usepackage{booktabs}."""
    return "\n".join(latex(sheet) for sheet in (results(report), effects(report), costs(report)) if sheet)


def table_text(report: Report, width: int = 80) -> Group:
    """The first two for the terminal; where the columns do not fit, a row for each condition."""
    return Group(
        *(terminal(sheet) for sheet in (_fitting(results, report, width), _fitting(effects, report, width)) if sheet)
    )


def _fitting(form: Form, report: Report, width: int) -> Sheet | None:
    sheet = form(report, False)
    return sheet if sheet is None or fits(sheet, width) else form(report, True)
