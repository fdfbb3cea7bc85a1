"""Designs: which cells a sweep has, beyond the product of what is swept on the command line.

A design is a product of factors. A factor is a list of parts: each changes some keys, and may have a name.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override

from cnnlab.errors import UserError, did_you_mean, require_count
from cnnlab.sweep.space import Space, drawn

Design = dict[str, Any]
SOURCE = "$source"  # in a change: the checkpoint of the run that is trained first
PIECES = ("axes", "pairs", "one_at_a_time", "leave_out", "add", "source")
LISTS: Design = {"exclude": [], "subset": None, "subset_seed": 0, "seeds": None, "search": None}
NOTHING: Design = {**{piece: {} for piece in PIECES}, **LISTS}


@dataclass(frozen=True)
class Part:
    """Overrides by their keys, as texts, and the names of the levels that they stand for.

    behind: keys whose values such a name tells.
    """

    changes: Mapping[str, str]
    labels: Mapping[str, str] = field(default_factory=dict)
    behind: frozenset[str] = frozenset()

    def __add__(self, other: "Part") -> "Part":
        labels = {**self.labels, **other.labels}
        return Part({**self.changes, **other.changes}, labels, self.behind | other.behind)

    @property
    def overrides(self) -> list[str]:
        """As on a command line."""
        return [f"{key}={value}" for key, value in self.changes.items()]

    @property
    def told(self) -> str:
        """What is its own, for tables: 'model=nin, - batch_norm, seed=1'."""
        shown = [f"{key}={value}" for key, value in self.changes.items() if key not in self.behind]
        seed = [override for override in shown if override.startswith("seed=")]
        return ", ".join([*(o for o in shown if o not in seed), *self.labels.values(), *seed])


@dataclass(frozen=True)
class Combinations:
    """What a design comes to: overrides that all cells have, the combinations without their seeds, and the seeds."""

    fixed: list[str]
    parts: list[Part]
    seeds: list[Part]

    def with_seeds(self, kept: Iterable[Part]) -> Iterator[Part]:
        """The innermost factor: the replicates of a combination follow one another."""
        return (part + seed for part in kept for seed in self.seeds)


def combinations(design: Design, arguments: Sequence[Override], spaces: Mapping[str, Space]) -> Combinations:
    """All combinations, those of the command line as the outermost factors; what it says of a key wins.

    arguments: the overrides of the command line. spaces: what is searched, see `space.spaces`.

    Raises:
        UserError: a piece is not legal.
    """
    mine = [o for o in arguments if not (o.key_or_group or "").startswith("ablation.")]
    values_of = {o.get_key_element(): swept(o) for o in mine if o.is_sweep_override() and not o.is_interval_sweep()}
    fixed = [o.input_line or "" for o in mine if not o.is_sweep_override()]
    given = {(o.key_or_group or "") for o in mine}
    outer = [[Part({key: value}) for value in values] for key, values in values_of.items() if key != "seed"]
    inner = [[Part({key: value}) for value in values] for key, values in axes(design["axes"], given).items()]
    factors = [*outer, *inner, *_pairs(design["pairs"], given), *_named(design)]
    if spaces and design["search"]["kind"] != "optuna":
        draws = drawn(spaces, design["search"])
        factors.append([Part({key: text(value) for key, value in draw.items()}) for draw in draws])
    seeds = [Part({"seed": value}) for value in values_of.get("seed", _seeds(design["seeds"], given))]
    require_count("ablation.subset_seed", design["subset_seed"], least=0)
    parts = [sum(parts, Part({})) for parts in product(*factors)]
    return Combinations(fixed, parts, seeds or [Part({})])


def kept(parts: list[Part], design: Design, is_excluded: Callable[[Part], bool]) -> list[Part]:
    """A random subset of those that are not excluded, if one is asked for; in their order."""
    size = design["subset"]
    if size is None:
        return parts
    allowed = [part for part in parts if not is_excluded(part)]
    if not isinstance(size, int) or isinstance(size, bool) or not 0 < size <= len(allowed):
        raise UserError(
            f"ablation.subset={size}: it must be 1 to {len(allowed)}, the number of combinations without seeds"
        )
    chosen = random.Random(design["subset_seed"]).sample(range(len(allowed)), size)
    return [allowed[n] for n in sorted(chosen)]


def text(value: Any) -> str:
    """A value as Hydra reads it back from a command line."""
    return str(Override._get_value_element_as_str(value))


def as_texts(change: Design) -> dict[str, str]:
    """Key -> value as on a command line."""
    return {key: text(value) for key, value in flat(change).items()}


def swept(override: Override) -> list[str]:
    """Its values, as texts."""
    values = [str(value) for value in override.sweep_string_iterator()]
    if not values:
        raise UserError(f"{override.input_line}: there are no values in it")
    return values


def axes(told: Design, given: set[str]) -> dict[str, list[str]]:
    """The values of each key that the command line says nothing of."""
    listed = flat(told).items()
    return {key: _values(f"ablation.axes.{key}", key, values) for key, values in listed if key not in given}


def _pairs(pairs: Design, given: set[str]) -> list[list[Part]]:
    lists = {k: _values(f"ablation.pairs.{k}", k, values) for k, values in flat(pairs).items() if k not in given}
    if len({len(values) for values in lists.values()}) > 1:
        counts = ", ".join(f"{key} has {len(values)}" for key, values in lists.items())
        raise UserError(f"ablation.pairs: the lists must be equally long; {counts}")
    rows = list(zip(*lists.values(), strict=True))
    return [[Part(dict(zip(lists, row, strict=True))) for row in rows]] if rows else []


def _named(design: Design) -> list[list[Part]]:
    """One factor at a time, one left out, one after another."""
    alone, without = _changes(design, "one_at_a_time"), _changes(design, "leave_out")
    factors = []
    if alone:
        single = [Part(change, {"one_at_a_time": name}, frozenset(change)) for name, change in alone.items()]
        factors.append([Part({}, {"one_at_a_time": "baseline"}), *single])
    if without:
        one_less = [Part(change, {"leave_out": f"- {name}"}, frozenset(change)) for name, change in without.items()]
        factors.append([Part({}, {"leave_out": "full"}), *one_less])
    if added := _changes(design, "add"):
        steps = [Part({}, {"add": "baseline"})]
        for name, change in added.items():
            steps.append(steps[-1] + Part(change, {"add": f"+ {name}"}, frozenset(change)))
        factors.append(steps)
    return factors


def _changes(design: Design, piece: str) -> dict[str, dict[str, str]]:
    """Name -> overrides."""
    for name, change in design[piece].items():
        if not isinstance(change, dict) or not change:
            raise UserError(
                f"ablation.{piece}.{name}={change}: it must be what is changed, as {{regularizer.dropout: 0}}"
            )
    return {name: as_texts(change) for name, change in design[piece].items()}


def _seeds(count: Any, given: set[str]) -> list[str]:
    if count is None or "seed" in given:
        return []
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise UserError(f"ablation.seeds={count}: it must be the number of seeds, 1 or more")
    return [str(seed) for seed in range(count)]


def _values(name: str, key: str, values: Any) -> list[str]:
    """A list, or a text with Hydra's sweep syntax: range(5)."""
    if isinstance(values, str):
        override = OverridesParser.create().parse_override(f"{key}={values}")
        if override.is_sweep_override() and not isinstance(override.value(), IntervalSweep):
            return swept(override)
    if not isinstance(values, list) or not values:
        raise UserError(f"{name}={values}: it must be a list of values, as [0, 0.5], or a sweep, as range(5)")
    return [text(value) for value in values]


def flat(nested: Design, before: str = "") -> Design:
    """{'optim': {'lr': [0.1]}} means the same as {'optim.lr': [0.1]}."""
    if not isinstance(nested, dict):
        raise UserError(f"ablation: {before.rstrip('.')}={nested} must be keys with their values")
    leaves: Design = {}
    for key, value in nested.items():
        leaves |= flat(value, f"{before}{key}.") if isinstance(value, dict) else {f"{before}{key}": value}
    return leaves


def require_known(design: Design, defaults: Iterable[str]) -> None:
    """Raises a UserError for a piece that there is not."""
    known = list(defaults)
    for key in design:
        if key not in known:
            raise UserError(f"ablation.{key} does not exist.{did_you_mean(key, known)} There are: {', '.join(known)}")
