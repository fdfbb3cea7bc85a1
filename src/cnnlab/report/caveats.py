"""What a reader must know before believing a report's numbers."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from statistics import median, mode, stdev

from cnnlab.report.cells import WITH_A_VALUE, ReportedCell
from cnnlab.report.content import Condition, Effect
from cnnlab.report.factors import Factors
from cnnlab.report.statistics import smallest_detectable, too_few
from cnnlab.report.wording import difference

NAMED = 5  # of many of a kind
UNEQUAL = 1.5  # times as long


def caveats(
    metric: str,
    cells: Sequence[ReportedCell],
    factors: Factors,
    conditions: Sequence[Condition],
    effects: Sequence[Effect],
    averaged: Sequence[Effect],
    left_out: Sequence[str],
    doubles: Sequence[str],
) -> list[str]:
    """In the order of their weight."""
    return [
        *_without_value(cells, left_out),
        *_doubles(doubles),
        *_replicates(metric, cells, conditions, effects),
        *_averages(effects, averaged),
        *_alongside(factors),
        *_chosen_by_test(metric, factors),
        *_trained_differently(cells),
        *_busy(cells, factors),
    ]


def _without_value(cells: Sequence[ReportedCell], left_out: Sequence[str]) -> Iterator[str]:
    lacking = [cell for cell in cells if cell.state not in WITH_A_VALUE]
    if lacking:
        states = dict.fromkeys(cell.state for cell in lacking)
        counts = ", ".join(f"{sum(cell.state == state for cell in lacking)} {state}" for state in states)
        named = _some([f"{cell.folder.name}{f' ({cell.why})' if cell.why else ''}" for cell in lacking])
        yield f"{len(lacking)} of {len(cells)} cells have no result ({counts}): {named}"
    if diverged := [cell.folder.name for cell in cells if cell.state == "diverged"]:
        yield f"{len(diverged)} of {len(cells)} cells diverged and count as chance: {_some(diverged)}"
    if left_out:
        yield f"{len(left_out)} folders with runs are not in study.json and are left out: {_some(left_out)}"


def _replicates(
    metric: str, cells: Sequence[ReportedCell], conditions: Sequence[Condition], effects: Sequence[Effect]
) -> Iterator[str]:
    counts = [one["n"] for one in conditions if one["n"]]
    if len(set(counts)) > 1:
        yield f"conditions have from {min(counts)} to {max(counts)} seeds; differences use those that both sides have"
    if counts and (words := too_few(min(counts))):
        yield words
    yield from _power(metric, conditions, effects)
    if any(cell.config.get("datamodule", {}).get("fold") for cell in cells):
        yield "folds share training images, so that intervals over them are too narrow (Nadeau and Bengio, 2003)"


def _power(metric: str, conditions: Sequence[Condition], effects: Sequence[Effect]) -> Iterator[str]:
    """Of a single test with as many seeds as most have; what diverged would make the spread look larger."""
    diverged = [one["levels"] for one in conditions if one["states"].get("diverged")]
    differences = [
        one["estimate"]["differences"]
        for one in effects
        if not any({**one["within"], one["factor"]: level} in diverged for level in (one["level"], one["baseline"]))
    ]
    spreads = [stdev(of) for of in differences if len(of) > 1]
    if spreads and (typical := median(spreads)) > 0:
        n = mode(len(of) for of in differences if len(of) > 1)
        seen = difference(metric, smallest_detectable(n, typical)).lstrip("+")
        yield (
            f"with n = {n} and this study's spread, a single test misses a true difference of {seen} one time in "
            "five, a smaller one more often; after correction for many tests, more often still"
        )


def _chosen_by_test(metric: str, factors: Factors) -> Iterator[str]:
    if metric.startswith("test/") and (searched := [name for name in factors.levels if factors.is_drawn(name)]):
        yield (
            f"the best of many values of {_some(searched)} by {metric} is too good by luck: choose with --metric "
            f"{metric.replace('test/', 'val/')}, and only then read its {metric}"
        )


def _doubles(doubles: Sequence[str]) -> Iterator[str]:
    if doubles:
        yield (
            f"{len(doubles)} cells have the seed and the levels of another cell; the first of each counts, these are "
            f"left out: {_some(doubles)}"
        )


def _averages(effects: Sequence[Effect], averaged: Sequence[Effect]) -> Iterator[str]:
    """An average wants seeds that all combinations have, so that one cell without a value costs its seed everywhere."""
    most = max((one["estimate"]["n"] for one in effects), default=0)
    least = min((one["estimate"]["n"] for one in averaged), default=most)
    if least < most:
        yield (
            f"averages over other factors use only the seeds that all their combinations have: from {least} of {most} "
            "on; combinations without any value are not in them"
        )


def _busy(cells: Sequence[ReportedCell], factors: Factors) -> Iterator[str]:
    """Equal cells that took unequally long: others used the machine, too."""
    times: dict[tuple[str, ...], list[float]] = defaultdict(list)
    for cell, levels in zip(cells, factors.of, strict=True):
        if cell.state == "done" and cell.cost.get("fit_seconds", 0) > 0:
            times[tuple(levels.values())].append(cell.cost["fit_seconds"])
    ratios = [max(of) / min(of) for of in times.values() if len(of) > 1]
    if ratios and max(ratios) >= UNEQUAL:
        yield (
            f"cells that differ in the seed only took up to {max(ratios):.1f} times as long as one another: the "
            "machine did other things, too, or early stopping ended some; compare times and images/s with care"
        )


def _alongside(factors: Factors) -> Iterator[str]:
    for name, keys in factors.along.items():
        yield f"these differ together with {name}, so that their effects cannot be told apart: {_some(keys)}"


def _trained_differently(cells: Sequence[ReportedCell]) -> Iterator[str]:
    told = [cell.environment for cell in cells if cell.environment]
    for name, words in (
        ("commit", "commits"),
        ("torch", "versions of torch"),
        ("device", "devices"),
        ("precision", "precisions"),
    ):
        there = dict.fromkeys(one[name] for one in told if name in one)
        if len(there) > 1:
            yield f"cells were trained with {len(there)} {words}: {_some([one[:12] for one in there])}"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"
