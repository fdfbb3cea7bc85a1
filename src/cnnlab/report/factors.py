"""What differs between the cells of a study: its factors, found by themselves; the seed is the replicate."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from cnnlab.report.candidates import UNKNOWN, Candidate, candidates
from cnnlab.report.cells import ReportedCell
from cnnlab.report.levels import as_number

MANY = 8  # levels of a number from which on it is drawn rather than chosen
BASELINES = ("none", "full", "baseline", "false", "paper")


@dataclass
class Factors:
    """levels: of each factor, in the study's order. of: each cell's, factor -> level.

    along: keys that differ together with a factor, so that their effects cannot be told from its. steps: the factor
    whose levels build on one another. baselines: that the user picks.
    """

    levels: dict[str, list[str]] = field(default_factory=dict)
    of: list[dict[str, str]] = field(default_factory=list)
    along: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    steps: str = "add"
    baselines: dict[str, str] = field(default_factory=dict)

    def is_drawn(self, name: str) -> bool:
        """Whether it is a number with so many levels that comparing single ones says nothing."""
        return len(self.levels[name]) > MANY and self.is_number(name)

    def is_number(self, name: str) -> bool:
        return all(as_number(level) is not None for level in self.levels[name])

    def baseline(self, name: str) -> str:
        """The level that the others are compared with: none of it, the whole recipe, 0, or the first."""
        if name in self.baselines:
            return self.baselines[name]
        levels = self.levels[name]
        zeros = [level for level in levels if as_number(level) == 0]
        return next((level for level in (*BASELINES, *zeros) if level in levels), levels[0])

    def compared(self, name: str) -> list[tuple[str, str]]:
        """(level, what it is compared with): the step before where levels build on one another, else the baseline."""
        levels = self.levels[name]
        if self.is_drawn(name):
            return []
        if name == self.steps:
            return list(zip(levels[1:], levels, strict=False))
        baseline = self.baseline(name)
        return [(level, baseline) for level in levels if level not in (baseline, UNKNOWN)]


def find_factors(cells: Sequence[ReportedCell]) -> Factors:
    """The levels that a design names, the network, the regularizer, what was typed, and what else tells cells apart."""
    found = Factors(of=[{} for _ in cells])
    named = {name for cell in cells for name in cell.labels}
    for one in candidates(cells):
        known = [n for n, level in enumerate(one.levels) if level != UNKNOWN]
        if one.name in found.levels or len({one.levels[n] for n in known}) < 2:
            continue
        teller = None if one.kind == "named" else _teller(found, one, known)
        if teller is not None:
            own = teller in named or (one.kind == "other" and one.name.startswith(f"{teller}."))  # behind the level
            if not own and one.name not in found.along[teller]:
                found.along[teller].append(one.name)
        elif one.kind == "named" or not _comes_with_others(found, one, known, [cell.seed for cell in cells]):
            _add(found, one.name, one.levels)
    return found


def _comes_with_others(found: Factors, one: Candidate, known: Sequence[int], seeds: Sequence[int | None]) -> bool:
    """Whether all factors together tell a key that nobody has swept; or, with the seed, any single value."""
    if one.kind == "other" and _tells([[found.of[n][name] for name in found.levels] for n in known], one, known):
        return True
    together = [[*(found.of[n][name] for name in found.levels), seeds[n]] for n in known]
    replicated = len({tuple(map(str, row)) for row in together}) > len({tuple(map(str, row[:-1])) for row in together})
    return bool(found.levels) and "." in one.name and replicated and _tells(together, one, known)


def _add(found: Factors, name: str, levels: Sequence[str]) -> None:
    distinct = list(dict.fromkeys(levels))
    if all(as_number(level) is not None for level in distinct):
        distinct.sort(key=float)
    found.levels[name] = distinct
    for mine, level in zip(found.of, levels, strict=True):
        mine[name] = level


def _teller(found: Factors, one: Candidate, known: Sequence[int]) -> str | None:
    """The factor whose level tells this one's; a drawn number would tell everything, by chance."""
    return next(
        (
            name
            for name in found.levels
            if not found.is_drawn(name) and _tells([[found.of[n][name]] for n in known], one, known)
        ),
        None,
    )


def _tells(rows: Sequence[Sequence[object]], one: Candidate, known: Sequence[int]) -> bool:
    """Whether equal rows always have equal levels."""
    seen: dict[tuple[object, ...], str] = {}
    return all(seen.setdefault(tuple(row), one.levels[n]) == one.levels[n] for row, n in zip(rows, known, strict=True))
