"""Differences between conditions, paired by seed: effects, main effects, interactions.

A contrast is a weighted sum of conditions' values, computed within each seed that all of them have. An effect is
+1 a level -1 its baseline; a main effect the mean of such; an interaction (Y_ab - Y_b) - (Y_a - Y).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations, product
from statistics import fmean
from typing import TypeVar

from cnnlab.report.content import Effect, Estimate, Interaction, Levels
from cnnlab.report.factors import Factors
from cnnlab.report.statistics import estimate, holm

Key = tuple[str, ...]  # a condition: its levels, in the order of the factors
Values = dict[str, float]  # of each seed
Contrast = dict[Key, float]
Tested = TypeVar("Tested", Effect, Interaction)


class Grid:
    """The values of a study's conditions, by their levels."""

    def __init__(self, factors: Factors, values: Mapping[Key, Values]) -> None:
        self.factors = factors
        self.names = list(factors.levels)
        self.there = values.keys()  # conditions of the study, with a value or without
        self.values = {key: of_seeds for key, of_seeds in values.items() if of_seeds}

    def rests(self, without: Iterable[str]) -> list[Levels]:
        """All combinations of the levels of the other factors."""
        others = [name for name in self.names if name not in set(without)]
        return [dict(zip(others, row, strict=True)) for row in product(*(self.factors.levels[n] for n in others))]

    def withins(self, without: Iterable[str]) -> list[Levels]:
        """Averaged over all else ({}), and each network by itself; without networks, each level of another factor."""
        others = [name for name in self.names if name not in set(without)]
        by = "model" if "model" in others else next(iter(others), None)
        return [{}, *({by: level} for level in self.factors.levels[by])] if by else [{}]

    def key(self, levels: Mapping[str, str]) -> Key:
        return tuple(levels[name] for name in self.names)

    def contrast(self, terms: Iterable[tuple[float, Mapping[str, str]]]) -> Contrast | None:
        """None where one of its conditions has no value."""
        weights: Contrast = {}
        for weight, levels in terms:
            key = self.key(levels)
            if key not in self.values:
                return None
            weights[key] = weights.get(key, 0.0) + weight
        return weights

    def difference(self, level: Levels, baseline: Levels) -> Estimate | None:
        """Of two conditions; n = 0 where one has no value yet, None where the study has no such condition."""
        weights = self.contrast([(1, level), (-1, baseline)])
        if weights is not None:
            return self.estimate([weights])
        return estimate([]) if {self.key(level), self.key(baseline)} <= self.there else None

    def estimate(self, contrasts: Sequence[Contrast]) -> Estimate:
        """Of their mean, over the seeds that all of them have."""
        seeds = set.intersection(*(set(self.values[key]) for weights in contrasts for key in weights))
        order = sorted(seeds, key=lambda seed: (len(seed), seed))
        return estimate(
            [fmean(sum(w * self.values[k][seed] for k, w in one.items()) for one in contrasts) for seed in order]
        )


def effects(grid: Grid) -> list[Effect]:
    """Each level against what it is compared with, within levels of the others; corrected for each factor's family."""
    found = []
    for factor in grid.names:
        family = []
        for level, baseline in grid.factors.compared(factor):
            for rest in grid.rests([factor]):
                of = grid.difference({**rest, factor: level}, {**rest, factor: baseline})
                if of is not None:
                    family.append(_effect(factor, level, baseline, rest, of))
        found += corrected(family)
    return found


def main_effects(grid: Grid) -> list[Effect]:
    """The same, averaged over the combinations of the others that have both; none where there is one factor alone."""
    found = []
    for factor in grid.names if len(grid.names) > 1 else ():
        family = []
        for level, baseline in grid.factors.compared(factor):
            terms = (
                grid.contrast([(1, {**rest, factor: level}), (-1, {**rest, factor: baseline})])
                for rest in grid.rests([factor])
            )
            if contrasts := [weights for weights in terms if weights is not None]:
                family.append(_effect(factor, level, baseline, {}, grid.estimate(contrasts)))
        found += corrected(family)
    return found


def interactions(grid: Grid) -> list[Interaction]:
    """Of each two factors, averaged over the others, and within each network or each level of another factor."""
    found = []
    for first, second in combinations(grid.names, 2):
        withins = grid.withins([first, second])
        family = [one for within in withins for one in _interactions(grid, first, second, within)]
        found += corrected(family)
    return found


def _interactions(grid: Grid, first: str, second: str, within: Levels) -> Iterator[Interaction]:
    rests = [rest for rest in grid.rests([first, second]) if within.items() <= rest.items()]
    for (a, a0), (b, b0) in product(grid.factors.compared(first), grid.factors.compared(second)):
        terms = (
            grid.contrast(
                [
                    (1, {**rest, first: a, second: b}),
                    (-1, {**rest, first: a0, second: b}),
                    (-1, {**rest, first: a, second: b0}),
                    (1, {**rest, first: a0, second: b0}),
                ]
            )
            for rest in rests
        )
        if contrasts := [weights for weights in terms if weights is not None]:
            yield {
                "first": (first, a),
                "second": (second, b),
                "within": within,
                "estimate": grid.estimate(contrasts),
            }


def _effect(factor: str, level: str, baseline: str, within: Levels, of: Estimate) -> Effect:
    return {"factor": factor, "level": level, "baseline": baseline, "within": within, "estimate": of}


def corrected(family: list[Tested]) -> list[Tested]:
    """With p_holm, for all of them together."""
    estimates = holm([one["estimate"] for one in family])
    return [{**one, "estimate": of} for one, of in zip(family, estimates, strict=True)]
