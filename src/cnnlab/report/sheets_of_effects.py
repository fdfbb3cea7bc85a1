"""'- BatchNorm: -3.1 [-3.6, -2.5]': the table of a design that adds ingredients or leaves them out."""

from collections import Counter
from collections.abc import Sequence

from cnnlab.report.conditions import ALPHA
from cnnlab.report.content import Effect, Report
from cnnlab.report.sheets import NOTHING, SIGNIFICANT, Entry, Sheet, said_of_n
from cnnlab.report.wording import decimals, difference, is_share, words

FACTORS = {"leave_one_out": "leave_out", "one_factor": "one_at_a_time", "cumulative": "add"}
INGREDIENTS = "regularizer"


def effects(report: Report, by_condition: bool = False) -> Sheet | None:
    """A row for each ingredient, a column for each combination of the other factors; by_condition those are rows too.

    None where the design is not of this form.
    """
    factor, metric = ingredient_factor(report), report["metric"]
    of = [one for one in report["effects"] if one["factor"] == factor]
    if factor is None or not of:
        return None
    others = [one["name"] for one in report["factors"] if one["name"] != factor]
    down, across = (others, []) if by_condition else ([], others)
    one_baseline = len({one["baseline"] for one in of}) == 1
    usual = f"n = {Counter(one['estimate']['n'] for one in of).most_common(1)[0][0]}"
    digits = decimals(metric, (one["std"] for one in report["conditions"]))
    found = {((_step(one, one_baseline), *_levels(one, down)), " · ".join(_levels(one, across))): one for one in of}
    columns = list(dict.fromkeys(column for _, column in found))
    body = [
        [*map(Entry, row), *(_entry(metric, found.get((row, column)), digits, usual) for column in columns)]
        for row in dict.fromkeys(row for row, _ in found)
    ]
    against = f" from {of[0]['baseline']}" if one_baseline else ""
    unit = ", percentage points" if is_share(metric) else ""
    return Sheet(
        f"Difference{against} in {words(metric)}{unit}",
        len(down) + 1,
        [factor, *down, *(column or "difference" for column in columns)],
        body,
        [
            f"Mean difference, paired by seed, [95 % interval]{said_of_n(usual)}.",
            f"{SIGNIFICANT}: p < {ALPHA:g} after Holm's correction.",
        ],
    )


def ingredient_factor(report: Report) -> str | None:
    """Whose levels are ingredients: one left out, one alone, or one more at each step."""
    names = [factor["name"] for factor in report["factors"]]
    if report["design"] not in FACTORS:
        return None
    return next((name for name in (FACTORS[report["design"]], INGREDIENTS) if name in names), None)


def _levels(effect: Effect, names: Sequence[str]) -> list[str]:
    return [effect["within"][name] for name in names]


def _step(effect: Effect, one_baseline: bool) -> str:
    return effect["level"] if one_baseline else f"{effect['level']} (from {effect['baseline']})"


def _entry(metric: str, one: Effect | None, digits: int, usual: str) -> Entry:
    if one is None:
        return Entry(NOTHING)
    of = one["estimate"]
    n = f"n = {of['n']}"
    aside = "" if n == usual else n
    if of["mean"] is None:
        return Entry(NOTHING, aside=aside)
    text = difference(metric, of["mean"], unit=False, digits=digits)
    if of["low"] is not None and of["high"] is not None:
        ends = [difference(metric, end, unit=False, digits=digits).lstrip("+") for end in (of["low"], of["high"])]
        text = f"{text} [{', '.join(ends)}]"
    return Entry(text, SIGNIFICANT if of["p_holm"] is not None and of["p_holm"] < ALPHA else "", aside)
