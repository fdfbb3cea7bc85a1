"""Spaces to search, and draws from them that a seed determines."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import exp, log
from typing import Any

from hydra.core.override_parser.types import IntervalSweep, Override

from cnnlab.errors import UserError, did_you_mean, require_count, require_one_of

KEYS = ("kind", "trials", "seed", "space", "pruner")
KINDS = ("random", "latin_hypercube", "optuna")


@dataclass(frozen=True)
class Space:
    """The values of a key between two ends, perhaps whole, perhaps even on a logarithmic scale; or a few choices."""

    low: float = 0.0
    high: float = 1.0
    log: bool = False
    integer: bool = False
    choices: tuple[Any, ...] = ()

    def at(self, share: float) -> Any:
        """What lies at that share, in [0, 1), of the way from one end to the other."""
        if self.choices:
            return self.choices[int(share * len(self.choices))]
        if self.integer:
            low, high = (log(self.low), log(self.high + 1)) if self.log else (self.low, self.high + 1)
            value = low + share * (high - low)
            return int(exp(value) if self.log else value)
        if self.log:
            return shortened(exp(log(self.low) + share * (log(self.high) - log(self.low))))
        return shortened(self.low + share * (self.high - self.low))


def shortened(value: float) -> float:
    """Four digits: what a folder's configuration is read for."""
    return float(f"{value:.4g}")


def spaces(search: dict[str, Any] | None, arguments: Iterable[Override]) -> dict[str, Space]:
    """What is searched: ablation.search.space, and the intervals of the command line, which win.

    optim.lr=tag(log,interval(1e-4,0.1)) is even on a logarithmic scale, model.base_width=int(interval(8,64)) whole.

    Raises:
        UserError: an end is missing or not legal; or there is an interval, and no search.
    """
    arguments = list(arguments)
    intervals = {o.key_or_group: o for o in arguments if o.is_interval_sweep()}
    if search is None:
        for override in intervals.values():
            raise UserError(
                f"{override.input_line}: from an interval values must be drawn: add ablation=random_search, "
                "latin_hypercube or bayesian"
            )
        return {}
    if odd := sorted(set(search) - set(KEYS)):
        raise UserError(
            f"ablation.search.{odd[0]} does not exist.{did_you_mean(odd[0], KEYS)} There are: {', '.join(KEYS)}"
        )
    for key in ("kind", "trials"):
        if key not in search:
            raise UserError(
                f"ablation.search.{key} is missing: take ablation=random_search, latin_hypercube or bayesian"
            )
    search.setdefault("seed", 0)
    search.setdefault("space", {})
    require_count("ablation.search.seed", search["seed"], least=0)
    require_one_of("ablation.search.kind", search["kind"], KINDS)
    require_count("ablation.search.trials", search["trials"])
    given = {o.key_or_group for o in arguments}
    found = {key: _told(key, told) for key, told in _leaves(search["space"]).items() if key not in given}
    for key, override in intervals.items():
        value = override.value()
        assert isinstance(value, IntervalSweep)
        assert key is not None
        ends = (value.start, value.end)
        whole = all(isinstance(end, int) for end in ends)
        found[key] = _checked(str(override.input_line), Space(*ends, "log" in value.tags, whole))  # type: ignore[arg-type]
    if not found:
        raise UserError(
            "ablation.search: nothing is searched. Give intervals: 'optim.lr=tag(log,interval(1e-4,0.1))' "
            "'regularizer.dropout=interval(0,0.6)'"
        )
    return found


def _leaves(nested: dict[str, Any], before: str = "") -> dict[str, Any]:
    """Keys with dots, down to what has low and high, or choices."""
    leaves: dict[str, Any] = {}
    for key, value in nested.items():
        inner = isinstance(value, dict) and not {"low", "high", "choices"} & set(value)
        leaves |= _leaves(value, f"{before}{key}.") if inner else {f"{before}{key}": value}
    return leaves


def _told(key: str, told: Any) -> Space:
    name = f"ablation.search.space.{key}={told}"
    if not isinstance(told, dict):
        raise UserError(f"{name}: it must be as {{low: 0.001, high: 0.1, log: true}} or {{choices: [relu, tanh]}}")
    if odd := sorted(set(told) - {"low", "high", "log", "integer", "choices"}):
        raise UserError(f"{name}: there is no {odd[0]}; there are low, high, log, integer and choices")
    if "choices" in told:
        if not isinstance(told["choices"], list) or not told["choices"]:
            raise UserError(f"{name}: choices must be a list of values")
        return Space(choices=tuple(told["choices"]))
    if not {"low", "high"} <= set(told):
        raise UserError(f"{name}: it needs low and high")
    for key in ("log", "integer"):
        if not isinstance(told.get(key, False), bool):
            raise UserError(f"{name}: {key} must be true or false")
    return _checked(name, Space(told["low"], told["high"], told.get("log", False), told.get("integer", False)))


def _checked(name: str, space: Space) -> Space:
    ends = (space.low, space.high)
    if not all(isinstance(end, int | float) and not isinstance(end, bool) for end in ends) or not ends[0] < ends[1]:
        raise UserError(f"{name}: it must go from a number to a larger one")
    if space.log and space.low <= 0:
        raise UserError(f"{name}: a logarithmic scale begins above 0")
    return space


def drawn(found: Mapping[str, Space], search: dict[str, Any]) -> list[dict[str, Any]]:
    """ablation.search.trials points; Latin hypercube: each key's values fall into as many equal slices, one each.

    McKay, Beckman, Conover: A comparison of three methods for selecting values of input variables, 1979.
    """
    trials, keys = search["trials"], len(found)
    if search["kind"] == "random":
        import numpy as np

        shares = np.random.default_rng(search["seed"]).random((trials, keys))
    else:
        from scipy.stats import qmc  # takes a second

        shares = qmc.LatinHypercube(keys, rng=search["seed"]).random(trials)
    points = [zip(found.items(), row, strict=True) for row in shares]
    return [{key: space.at(float(share)) for (key, space), share in point} for point in points]
