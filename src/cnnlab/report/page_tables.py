"""The page's long tables, which a reader sorts and searches: the script draws the rows that match."""

from collections.abc import Sequence

from cnnlab.quantities import duration
from cnnlab.report.conditions import ALPHA
from cnnlab.report.content import Effect, Estimate, Interaction, Levels, Report
from cnnlab.report.page_table import Kind, PageTable, Value, number, probability
from cnnlab.report.page_tables_of_images import calibration, hardest, image_tests
from cnnlab.report.sheets import NOTHING
from cnnlab.report.wording import difference, together, value


def page_tables(report: Report) -> dict[str, PageTable]:
    """By their names in the page; a table without rows is not shown."""
    return {
        "effects": _effects(report, "Effects", report["effects"]),
        "main_effects": _effects(report, "Main effects", report["main_effects"]),
        "interactions": _interactions(report),
        "image_tests": image_tests(report),
        "calibration": calibration(report),
        "hardest": hardest(report),
        "cells": _cells(report),
    }


TESTED: list[tuple[str, Kind]] = [
    ("difference", "number"),
    ("95 % interval", "number"),
    ("p (Holm)", "number"),
    ("effect size", "number"),
    ("n", "number"),
]


def _estimate(metric: str, of: Estimate) -> list[Value]:
    if of["mean"] is None:
        return [Value(NOTHING) for _ in TESTED[:-1]] + [Value("0", 0)]
    interval, low = NOTHING, of["low"]
    if low is not None and of["high"] is not None:
        ends = [difference(metric, end, unit=False) for end in (low, of["high"])]
        interval = f"[{', '.join(ends)}]"
    starred = " *" if of["p_holm"] is not None and of["p_holm"] < ALPHA else ""
    return [
        Value(f"{difference(metric, of['mean'])}{starred}", of["mean"]),
        Value(interval, low),
        probability(of["p_holm"]),
        number(of["effect_size"], ".2f"),
        Value(str(of["n"]), of["n"]),
    ]


def _effects(report: Report, title: str, effects: Sequence[Effect]) -> PageTable:
    head: list[tuple[str, Kind]] = [("factor", "text"), ("level", "text"), ("against", "text"), ("within", "text")]
    rows = [
        [
            *(Value(one[key]) for key in ("factor", "level", "baseline")),
            Value(_where(one["within"])),
            *_estimate(report["metric"], one["estimate"]),
        ]
        for one in effects
    ]
    about = "Mean difference, paired by seed. * p < 0.05 after Holm's correction over the factor's comparisons."
    return PageTable(title, about, [*head, *TESTED], rows)


def _interactions(report: Report) -> PageTable:
    def row(one: Interaction) -> list[Value]:
        names = [Value(": ".join(one[side])) for side in ("first", "second")]
        return [*names, Value(_where(one["within"])), *_estimate(report["metric"], one["estimate"])]

    about = "What two bring together beyond the sum of what each brings: + they help, - they stand in for one another."
    head: list[tuple[str, Kind]] = [("one", "text"), ("other", "text"), ("within", "text")]
    return PageTable("Interactions", about, [*head, *TESTED], [row(one) for one in report["interactions"]])


def _cells(report: Report) -> PageTable:
    names = [factor["name"] for factor in report["factors"]]
    head: list[tuple[str, Kind]] = [("cell", "name"), ("state", "text"), *((name, "text") for name in names)]
    head += [("seed", "number"), (report["metric"], "number"), ("time", "number")]
    reasons = any(one["why"] for one in report["cells"])
    head += [*([("why", "prose")] if reasons else []), ("command", "code")]  # type: ignore[list-item]
    rows = [
        [
            Value(one["name"], href=f"{one['folder']}/"),
            Value(one["state"]),
            *(Value(one["levels"][name]) for name in names),
            number(one["seed"], "d"),
            Value(NOTHING) if one["value"] is None else Value(value(report["metric"], one["value"]), one["value"]),
            Value(NOTHING) if one["seconds"] is None else Value(duration(one["seconds"]), one["seconds"]),
            *([Value(one["why"])] if reasons else []),
            Value(one["command"]),
        ]
        for one in report["cells"]
    ]
    return PageTable("Cells", "Every cell with its folder, and the command that trains it alone.", head, rows)


def _where(within: Levels) -> str:
    return together(within) or "average"
