"""Whether a study bears out the claim that it was made for: paired differences, a 95 % interval, a verdict."""

import zlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan, sqrt
from pathlib import Path
from statistics import fmean, stdev
from typing import Any
from zipfile import BadZipFile

import numpy as np
from scipy import stats

from cnnlab.errors import UserError
from cnnlab.study.claims import Check, Claim
from cnnlab.study.results import CellResult, Selector, read_cells, select

LEVEL = 0.95
Values = dict[int, float]  # of each seed, or group of seeds


@dataclass(frozen=True)
class Outcome:
    """Of a check. left_out: seeds (or groups) that one side lacks, wholly or in part."""

    check: Check
    differences: list[float]
    left_out: list[int]

    @property
    def n(self) -> int:
        return len(self.differences)

    @property
    def mean(self) -> float:
        return fmean(self.differences) if self.differences else nan

    @property
    def interval(self) -> tuple[float, float]:
        """Of the mean difference; not a number where there are fewer than two."""
        if self.n < 2:
            return nan, nan
        half = float(stats.t.ppf((1 + LEVEL) / 2, self.n - 1)) * stdev(self.differences) / sqrt(self.n)
        return self.mean - half, self.mean + half

    @property
    def holds(self) -> bool:
        low = self.interval[0]
        return not isnan(low) and low > self.check.by


@dataclass(frozen=True)
class Judgement:
    """Of a study. unfinished: cells without a result, with what became of them; diverged: counted as chance.

    minutes: of the command, from the seconds of its cells and how many ran at once.
    """

    claim: Claim
    outcomes: list[Outcome]
    unfinished: dict[str, str]
    diverged: list[str]
    minutes: float
    environment: dict[str, Any]

    @property
    def verdict(self) -> str:
        """'unfinished' while a cell is missing: what is there may not be a fair sample."""
        if self.unfinished:
            return "unfinished"
        held = sum(outcome.holds for outcome in self.outcomes)
        return "confirmed" if held == len(self.outcomes) else "partly confirmed" if held else "not confirmed"


def judge(study: Path, claim: Claim) -> Judgement:
    """What the cells of a study say about a claim.

    Raises:
        UserError: there is no such study, a selector matches no cell, or the cells have no such metric.
    """
    jobs, cells = read_cells(study)
    ended = [cell for cell in cells if cell.usable]
    return Judgement(
        claim,
        [judge_check(check, cells) for check in claim.checks],
        {cell.name: cell.state for cell in cells if not cell.usable},
        [cell.name for cell in ended if cell.state == "diverged"],
        sum(cell.seconds for cell in cells) / 60 / jobs,
        next((cell.environment for cell in ended if cell.environment), {}),
    )


def judge_check(check: Check, cells: Sequence[CellResult]) -> Outcome:
    """The differences of one check."""
    size = check.ensemble

    def mean(chosen: list[CellResult]) -> float:
        return fmean(cell.value(check.metric) for cell in chosen)

    of, lacking_of = _side(check.of, cells, ensemble_accuracy if size else mean, size)
    over, lacking_over = _side(check.over, cells, mean, size)
    both = sorted(of.keys() & over.keys())
    left_out = lacking_of | lacking_over | (of.keys() ^ over.keys())
    return Outcome(check, [of[at] - check.times * over[at] for at in both], sorted(left_out))


def _side(
    selector: Selector | list[Selector],
    cells: Sequence[CellResult],
    figure: Callable[[list[CellResult]], float],
    size: int | None,
) -> tuple[Values, set[int]]:
    """The figure (for two selectors their difference) of each seed or group of seeds, and those that lack a cell."""
    if isinstance(selector, Mapping):
        return _figures(select(cells, selector), figure, size)
    (first, lacking_first), (second, lacking_second) = (_side(one, cells, figure, size) for one in selector)
    both = first.keys() & second.keys()
    lacking = lacking_first | lacking_second | (first.keys() ^ second.keys())
    return {at: first[at] - second[at] for at in both}, lacking


def _figures(
    chosen: list[CellResult], figure: Callable[[list[CellResult]], float], size: int | None
) -> tuple[Values, set[int]]:
    groups: dict[int, list[CellResult]] = defaultdict(list)
    for cell in chosen:
        groups[cell.seed // (size or 1)].append(cell)
    whole = max((len(group) for group in groups.values()), default=0)
    complete = {
        at: group
        for at, group in groups.items()
        if len(group) == whole and all(c.usable for c in group) and len({c.seed for c in group}) == (size or 1)
    }
    return {at: figure(group) for at, group in complete.items()}, groups.keys() - complete.keys()


def ensemble_accuracy(members: list[CellResult]) -> float:
    """Of the mean of the members' probabilities; a diverged one says nothing, which changes no decision."""
    probabilities: Any = 0.0
    labels = None
    for member in members:
        if member.state == "diverged":
            continue
        file = member.folder / "predictions.npz"
        label, shares = _predictions(file)
        if labels is not None and not np.array_equal(labels, label):
            raise UserError(f"{file}: the members of an ensemble were tested on different images")
        labels = label
        probabilities = probabilities + shares
    if labels is None:
        return fmean(member.value("test/accuracy") for member in members)
    return float((probabilities.argmax(axis=1) == labels).mean())


def _predictions(file: Path) -> tuple[Any, Any]:
    """Labels [N] and probabilities [N, K]."""
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as saved:
            label, probabilities = saved["label"], saved["probabilities"]
    except FileNotFoundError:
        raise
    except (OSError, ValueError, TypeError, LookupError, EOFError, AttributeError, BadZipFile, zlib.error) as error:
        raise UserError(f"{file} cannot be read ({error}); train this cell again") from error
    if (
        label.ndim != 1
        or probabilities.ndim != 2
        or len(label) != len(probabilities)
        or probabilities.dtype.kind not in "fiu"
    ):
        raise UserError(f"{file}: labels {label.shape} and probabilities {probabilities.shape} do not go together")
    return label, probabilities
