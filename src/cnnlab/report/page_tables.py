"""The page's long tables, which a reader sorts and searches: the script draws the rows that match."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cnnlab.quantities import duration
from cnnlab.report.conditions import ALPHA
from cnnlab.report.content import Effect, Estimate, Interaction, Levels, Report
from cnnlab.report.sheets import NOTHING
from cnnlab.report.wording import difference, together, value

Kind = Literal["text", "name", "number", "code"]


@dataclass(frozen=True)
class Value:
    """What is shown, what it is sorted by, and where it leads."""

    text: str
    by: float | None = None
    href: str = ""


@dataclass(frozen=True)
class PageTable:
    """about: what a reader must know of it."""

    title: str
    about: str
    columns: list[tuple[str, Kind]]
    rows: list[list[Value]]

    def as_data(self) -> dict[str, Any]:
        """For the script: text, sort key if it is not the text, link if there is one."""
        packed = [[_packed(one) for one in row] for row in self.rows]
        return {"columns": [{"name": name, "kind": kind} for name, kind in self.columns], "rows": packed}


def _packed(one: Value) -> list[Any]:
    return [one.text, one.by, one.href] if one.href else [one.text, one.by] if one.by is not None else [one.text]


def page_tables(report: Report) -> dict[str, PageTable]:
    """By their names in the page; a table without rows is not shown."""
    return {
        "effects": _effects(report, "Effects", report["effects"]),
        "main_effects": _effects(report, "Main effects", report["main_effects"]),
        "interactions": _interactions(report),
        "image_tests": _image_tests(report),
        "calibration": _calibration(report),
        "hardest": _hardest(report),
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
        _number(of["p_holm"], ".2g"),
        _number(of["effect_size"], ".2f"),
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


def _image_tests(report: Report) -> PageTable:
    head: list[tuple[str, Kind]] = [("first", "text"), ("second", "text"), ("first - second", "number")]
    head += [("95 % interval", "number"), ("only first right", "number"), ("only second right", "number")]
    rows = []
    for one in report["image_tests"]:
        ends = [difference("accuracy", one[key], unit=False) for key in ("low", "high")]
        starred = " *" if one["p_holm"] < ALPHA else ""
        rows.append(
            [
                Value(_condition(report, one["first"])),
                Value(_condition(report, one["second"])),
                Value(difference("accuracy", one["difference"]) + starred, one["difference"]),
                Value(f"[{', '.join(ends)}]", one["low"]),
                Value(f"{one['only_first']:,}", one["only_first"]),
                Value(f"{one['only_second']:,}", one["only_second"]),
                _number(one["p_holm"], ".2g"),
                Value(f"{one['images']:,}", one["images"]),
            ]
        )
    about = (
        "Seed ensembles of two conditions on the same test images: McNemar's test, bootstrap over images. It is about "
        "these very networks; whether other seeds would say the same, the tests by seed tell."
    )
    return PageTable("Image by image", about, [*head, ("p (Holm)", "number"), ("images", "number")], rows)


def _calibration(report: Report) -> PageTable:
    head: list[tuple[str, Kind]] = [("condition", "text"), ("one network", "number"), ("ensemble of seeds", "number")]
    rows = [
        [
            Value(_condition(report, one["condition"])),
            Value(value("accuracy", one["single"]), one["single"]),
            Value(value("accuracy", one["ensemble"]), one["ensemble"]),
            Value(difference("accuracy", one["ensemble"] - one["single"]), one["ensemble"] - one["single"]),
            Value(value("accuracy", one["ece"]), one["ece"]),
            Value(str(one["n"]), one["n"]),
        ]
        for one in report["images"]
    ]
    about = (
        "Test accuracy of single networks and of their averaged probabilities; expected calibration error in 15 bins."
    )
    columns: list[tuple[str, Kind]] = [*head, ("gain", "number"), ("ECE", "number"), ("n", "number")]
    return PageTable("Ensembles and calibration", about, columns, rows)


def _hardest(report: Report) -> PageTable:
    head: list[tuple[str, Kind]] = [("test image", "number"), ("label", "text"), ("taken for", "text")]
    rows = [
        [
            Value(str(one["index"]), one["index"]),
            Value(one["label"]),
            Value(one["predicted"]),
            Value(value("accuracy", one["confidence"]), one["confidence"]),
            Value(f"{one['wrong']} of {one['cells']}", one["wrong"]),
        ]
        for one in report["hardest"]
    ]
    about = "Images that most cells get wrong; some of them may be labelled wrongly."
    columns: list[tuple[str, Kind]] = [*head, ("with confidence", "number"), ("cells that err", "number")]
    return PageTable("The hardest images", about, columns, rows)


def _cells(report: Report) -> PageTable:
    names = [factor["name"] for factor in report["factors"]]
    head: list[tuple[str, Kind]] = [("cell", "name"), ("state", "text"), *((name, "text") for name in names)]
    head += [("seed", "number"), (report["metric"], "number"), ("time", "number"), ("why", "text"), ("command", "code")]
    rows = [
        [
            Value(one["name"], href=f"{one['folder']}/"),
            Value(one["state"]),
            *(Value(one["levels"][name]) for name in names),
            _number(one["seed"], "d"),
            Value(NOTHING) if one["value"] is None else Value(value(report["metric"], one["value"]), one["value"]),
            Value(NOTHING) if one["seconds"] is None else Value(duration(one["seconds"]), one["seconds"]),
            Value(one["why"]),
            Value(one["command"]),
        ]
        for one in report["cells"]
    ]
    return PageTable("Cells", "Every cell with its folder, and the command that trains it alone.", head, rows)


def _number(number: float | None, form: str) -> Value:
    return Value(NOTHING) if number is None else Value(f"{number:{form}}", number)


def _where(within: Levels) -> str:
    return together(within) or "average"


def _condition(report: Report, place: int) -> str:
    return together(report["conditions"][place]["levels"]) or "all cells"
