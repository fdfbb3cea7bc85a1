"""What may be a factor of a study, in the order in which a reader would name it."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from cnnlab.cell import WITHOUT_EFFECT
from cnnlab.report.cells import ReportedCell
from cnnlab.report.differing import at, differing
from cnnlab.report.levels import as_number, ingredients, joined, label, shown

UNKNOWN = "?"  # the level of a cell that has not begun, where no other cell tells it
REPLICATES = ("seed", "datamodule.fold")
Typed = tuple[tuple[str, str], ...]  # keys and values


@dataclass(frozen=True)
class Candidate:
    """levels: of each cell. kind: a level that the design has a name for, a key that someone has swept, or another."""

    name: str
    levels: list[str]
    kind: Literal["named", "typed", "other"]


def candidates(cells: Sequence[ReportedCell]) -> Iterator[Candidate]:
    """Some of them are told by others before them."""
    for name in dict.fromkeys(name for cell in cells for name in cell.labels):
        yield Candidate(name, [label(cell.labels.get(name, UNKNOWN)) for cell in cells], "named")
    typed = dict.fromkeys(key for cell in cells for key in cell.overrides if key not in REPLICATES)
    yield _of("model", cells, lambda cell: str(at(cell.config, "model.name")), "typed" if "model" in typed else "other")
    parts = [key for key in typed if key.startswith("regularizer.")]
    if len(parts) != 1:  # several are read best as one recipe: 'BatchNorm + dropout'
        varied = _varied(cells)
        yield _of(
            "regularizer",
            cells,
            lambda cell: joined(ingredients(cell.config["regularizer"]), varied),
            "typed" if parts or "regularizer" in typed else "other",
        )
    for key in typed:
        if key not in ("model", "regularizer"):
            yield _of(key, cells, _chosen(key), "typed")
    yield from _others(cells)


def _others(cells: Sequence[ReportedCell]) -> Iterator[Candidate]:
    keys = differing([cell.config for cell in cells if cell.config])
    names_first = sorted(keys, key=lambda key: key.rpartition(".")[2] not in ("name", "_target_"))
    for key in names_first:
        idle = any(key == one or key.startswith(f"{one}.") for one in WITHOUT_EFFECT)
        if key not in REPLICATES and not idle:
            yield _of(key, cells, lambda cell, key=key: shown(at(cell.config, key)), "other")  # type: ignore[misc]


def _of(
    name: str,
    cells: Sequence[ReportedCell],
    level: Callable[[ReportedCell], str],
    kind: Literal["typed", "other"],
) -> Candidate:
    """What has not begun has the level of its like: of cells for which the same was typed, or what was typed."""
    levels = [level(cell) if cell.config else UNKNOWN for cell in cells]
    if UNKNOWN in levels:
        alike = [_levels_by(typed, cells, levels) for typed in (_but_for_the_seed, _of_network(name), _only(name))]
        for n, cell in enumerate(cells):
            if levels[n] == UNKNOWN:
                found = (of.get(typed(cell), set()) for typed, of in alike)
                levels[n] = next((min(of) for of in found if len(of) == 1), _as_shown(cell.overrides.get(name)))
    return Candidate(name, levels, kind)


def _levels_by(
    typed: Callable[[ReportedCell], Typed], cells: Sequence[ReportedCell], levels: Sequence[str]
) -> tuple[Callable[[ReportedCell], Typed], dict[Typed, set[str]]]:
    known: dict[Typed, set[str]] = defaultdict(set)
    for cell, level in zip(cells, levels, strict=True):
        if level != UNKNOWN:
            known[typed(cell)].add(level)
    return typed, known


def _but_for_the_seed(cell: ReportedCell) -> Typed:
    return (*cell.labels.items(), *(item for item in cell.overrides.items() if item[0] not in REPLICATES))


def _of_network(name: str) -> Callable[[ReportedCell], Typed]:
    """What was typed for a factor and for the network, which may bring a level of its own (regularizer=paper)."""
    return lambda cell: tuple(item for item in cell.overrides.items() if _is_in(item[0], (name, "model")))


def _only(name: str) -> Callable[[ReportedCell], Typed]:
    return lambda cell: tuple(item for item in cell.overrides.items() if _is_in(item[0], (name,)))


def _is_in(key: str, roots: Sequence[str]) -> bool:
    return any(key == root or key.startswith(f"{root}.") for root in roots)


def _as_shown(typed: str | None) -> str:
    """0.1 of '1e-1', as the configuration of a cell that has begun would be shown."""
    if typed is None:
        return UNKNOWN
    number = as_number(typed)
    return typed if number is None or typed.isdigit() else shown(number)


def _chosen(key: str) -> Callable[[ReportedCell], str]:
    """A value as the configuration has it; of a group (optim=adam), what was typed, or the class that came of it."""

    def level(cell: ReportedCell) -> str:
        value = at(cell.config, key)
        if not isinstance(value, dict):
            return shown(value)
        return cell.overrides.get(key, str(value.get("_target_", "default")).rpartition(".")[2].lower())

    return level


def _varied(cells: Sequence[ReportedCell]) -> frozenset[str]:
    """Ingredients that one network has with several values."""
    values: dict[tuple[str, str], set[str]] = defaultdict(set)
    for cell in cells:
        if cell.config:
            for name, value in ingredients(cell.config["regularizer"]).items():
                values[str(at(cell.config, "model.name")), name].add(shown(value))
    return frozenset(name for (_, name), several in values.items() if len(several) > 1)
