"""The main table, before it is written as Markdown, LaTeX or for the terminal."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cnnlab.report.conditions import ALPHA, lower_is_better
from cnnlab.report.content import Condition, Report
from cnnlab.report.wording import decimals, is_share, mean_and_std, seeds, without_factors, words

BEST, NOT_WORSE, UNTESTED, SIGNIFICANT = "★", "≈", "?", "*"
NOTHING = "\u2013"  # a dash
Key = tuple[str, ...]  # levels


@dataclass(frozen=True)
class Entry:
    """mark: BEST, NOT_WORSE, UNTESTED, SIGNIFICANT or nothing. aside: what is said of n, where it is not the usual."""

    text: str
    mark: str = ""
    aside: str = ""


@dataclass(frozen=True)
class Sheet:
    """labels: how many columns at the left name a row."""

    title: str
    labels: int
    head: list[str]
    rows: list[list[Entry]]
    notes: list[str]


def results(report: Report, by_condition: bool = False) -> Sheet:
    """Mean ± std in the report's rows and columns; by_condition in one column.

    A factor that is named as neither row nor column is a row: no condition hides another.
    """
    metric = report["metric"]
    names = [factor["name"] for factor in report["factors"]]
    columns = [] if by_condition else report["columns"]
    rows = [name for name in (*report["rows"], *names) if name not in columns]
    rows = list(dict.fromkeys(rows))
    found = {(_key(one, rows), _key(one, columns)): one for one in report["conditions"]}
    across = _ordered(report, columns, (column for _, column in found))
    usual = _usual(found.values())
    digits = decimals(metric, (one["std"] for one in found.values()))
    body = [
        [
            *map(Entry, row or (without_factors(report),)),
            *(_entry(metric, found.get((row, column)), digits, usual) for column in across),
        ]
        for row in _ordered(report, rows, (row for row, _ in found))
    ]
    by = f", by {' · '.join(columns)}" if columns else ""
    head = [*(rows or [""]), *(" · ".join(column) or words(metric) for column in across)]
    notes = [] if report["configuration"] else _notes(report["conditions"], usual)
    return Sheet(f"{_title(metric)}{by}", len(rows) or 1, head, body, notes or ["One run; --metric shows others."])


def _entry(metric: str, one: Condition | None, digits: int, usual: str) -> Entry:
    if one is None:
        return Entry(NOTHING)  # the study has no such combination
    mark = BEST if one["best"] else NOT_WORSE if one["not_worse"] else UNTESTED if one["untested"] else ""
    return Entry(mean_and_std(metric, one, digits), mark, "" if seeds(one) == usual else seeds(one))


def said_of_n(usual: str) -> str:
    return f"; {usual} unless told otherwise" if usual else ""


def _title(metric: str) -> str:
    if is_share(metric):
        return f"{words(metric)} in %"
    return f"{words(metric)} (lower is better)" if lower_is_better(metric) else words(metric)


def _usual(conditions: Iterable[Condition]) -> str:
    """What is said of n once for all, and at an entry only where it differs; of complete conditions."""
    complete = [
        seeds(one) for one in conditions if one["n"] == one["states"].get("done", 0) == sum(one["states"].values())
    ]
    return Counter(complete).most_common(1)[0][0] if complete else ""


def _notes(conditions: Sequence[Condition], usual: str) -> list[str]:
    told = [f"Mean ± standard deviation over seeds{said_of_n(usual)}."]
    if any(one["best"] for one in conditions):
        tied = f"; {NOT_WORSE}: not distinguishable from it (paired t-tests by seed, Holm, {ALPHA:g})"
        untested = f"; {UNTESTED}: shares fewer than two seeds with it, so that no test tells"
        said = tied if any(one["not_worse"] for one in conditions) else ""
        said += untested if any(one["untested"] for one in conditions) else ""
        told.append(f"{BEST}: best{said}.")
    if any(one["states"].get("diverged") for one in conditions):
        told.append("Diverged cells count as chance.")
    return told


def _key(condition: Condition, names: Sequence[str]) -> Key:
    return tuple(condition["levels"][name] for name in names)


def _ordered(report: Report, names: Sequence[str], keys: Iterable[Key]) -> list[Key]:
    """Distinct ones, in the order of the factors' levels."""
    levels = {factor["name"]: factor["levels"] for factor in report["factors"]}
    return sorted(
        dict.fromkeys(keys),
        key=lambda key: [levels[name].index(level) for name, level in zip(names, key, strict=True)],
    )
