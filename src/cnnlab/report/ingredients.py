"""What each ingredient of a recipe brings, where the levels of a factor are sets of them: 'BatchNorm + dropout'."""

from collections.abc import Iterator
from itertools import combinations

from cnnlab.report.content import Effect, Interaction, Levels
from cnnlab.report.contrasts import Contrast, Grid, corrected
from cnnlab.report.levels import NONE

FACTOR = "regularizer"
WITH, WITHOUT = "with", "without"
SUM_OF_SINGLES = "the sum of each alone"
Sets = dict[frozenset[str], str]  # what is on -> the level


def ingredient_effects(grid: Grid) -> list[Effect]:
    """What each adds, averaged over two or more backgrounds that are there with it and without."""
    sets = sets_of(grid)
    found = []
    for one in _ingredients(sets):
        pairs = [(on | {one}, on) for on in sets if one not in on and on | {one} in sets]
        for within in grid.withins([FACTOR]) if len(pairs) > 1 else ():
            contrasts = [
                weights
                for more, less in pairs
                for weights in _over_rests(grid, within, [(1, sets[more]), (-1, sets[less])])
            ]
            if contrasts:
                estimate = grid.estimate(contrasts)
                found.append(Effect(factor=one, level=WITH, baseline=WITHOUT, within=within, estimate=estimate))
    return corrected(found)


def ingredient_interactions(grid: Grid) -> list[Interaction]:
    """How far two help (+) or replace (-) one another, averaged over backgrounds; and all together against the sum."""
    sets = sets_of(grid)
    found = []
    for a, b in combinations(_ingredients(sets), 2):
        backgrounds = [on for on in sets if not {a, b} & on and {on | {a}, on | {b}, on | {a, b}} <= sets.keys()]
        for within in grid.withins([FACTOR]) if backgrounds else ():
            contrasts = [
                weights
                for on in backgrounds
                for weights in _over_rests(
                    grid,
                    within,
                    [(1, sets[on | {a, b}]), (-1, sets[on | {a}]), (-1, sets[on | {b}]), (1, sets[on])],
                )
            ]
            if contrasts:
                estimate = grid.estimate(contrasts)
                found.append(Interaction(first=(a, WITH), second=(b, WITH), within=within, estimate=estimate))
    return [*corrected(found), *corrected(list(_together(grid, sets)))]


def _together(grid: Grid, sets: Sets) -> Iterator[Interaction]:
    """All - none against the sum of (each - none)."""
    every = frozenset().union(*sets)
    singles = [frozenset({one}) for one in every]
    if len(every) < 3 or not {every, frozenset(), *singles} <= sets.keys():
        return
    none = sets[frozenset()]
    terms = [(1.0, sets[every]), (len(every) - 1.0, none), *((-1.0, sets[one]) for one in singles)]
    for within in grid.withins([FACTOR]):
        if contrasts := list(_over_rests(grid, within, terms)):
            estimate = grid.estimate(contrasts)
            second = (FACTOR, SUM_OF_SINGLES)
            yield Interaction(first=(FACTOR, sets[every]), second=second, within=within, estimate=estimate)


def sets_of(grid: Grid) -> Sets:
    """Of the factor's levels; empty if there is no such factor."""
    levels = grid.factors.levels.get(FACTOR, [])
    return {frozenset() if level == NONE else frozenset(level.split(" + ")): level for level in levels}


def _ingredients(sets: Sets) -> list[str]:
    return list(dict.fromkeys(one for level in sets.values() if level != NONE for one in level.split(" + ")))


def _over_rests(grid: Grid, within: Levels, terms: list[tuple[float, str]]) -> Iterator[Contrast]:
    for rest in grid.rests([FACTOR]):
        if within.items() <= rest.items():
            weights = grid.contrast([(weight, {**rest, FACTOR: level}) for weight, level in terms])
            if weights is not None:
                yield weights
