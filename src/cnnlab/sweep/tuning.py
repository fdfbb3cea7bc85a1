"""tune=lr: each architecture gets the learning rate that suits it, before the comparison, by val/accuracy alone."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cnnlab.errors import UserError, did_you_mean, require_count
from cnnlab.run import Config, Run
from cnnlab.sweep.cells import Cell, Composer
from cnnlab.sweep.design import Part, text

ROLE = {"role": "tuning"}  # label of a trial, which is none of the comparison


@dataclass(frozen=True)
class Tuning:
    """key: what is tuned. factors: times its value, one trial each. seed: of the trials. by: what shares a value."""

    key: str
    factors: tuple[float, ...]
    seed: int
    by: tuple[str, ...]

    @classmethod
    def of(cls, tune: Config | None, given: set[str]) -> "Tuning | None":
        """What the group `tune` says.

        Raises:
            UserError: it says something else; or what is to be tuned is given on the command line.
        """
        if tune is None:
            return None
        factors = tune["factors"]
        numbers = isinstance(factors, list) and all(isinstance(f, int | float) and f > 0 for f in factors)
        if not numbers or len(set(factors)) < 2:
            raise UserError(f"tune.factors={factors}: it must be two or more different numbers above 0")
        require_count("tune.seed", tune["seed"], least=0)
        if tune["key"] in given:
            raise UserError(
                f"{tune['key']}=...: tune={tune['key'].rpartition('.')[2]} chooses it; leave one of them out"
            )
        return cls(tune["key"], tuple(sorted(factors)), tune["seed"], tuple(tune["by"]))

    def group(self, config: Config) -> str:
        """Cells with the same share a value."""
        for name in self.by:
            if not isinstance(config.get(name), dict):
                known = [key for key, value in config.items() if isinstance(value, dict)]
                raise UserError(f"tune.by={list(self.by)}: there is no {name}; it can be {', '.join(known)}")
        parts = [{k: v for k, v in config[name].items() if k != "weights"} for name in self.by]  # a source has a seed
        return json.dumps(parts, sort_keys=True)

    def trials(self, part: Part, config: Config) -> list[Part]:
        """Of the group that this cell is the first of: no test, a seed of their own."""
        group, _, leaf = self.key.rpartition(".")
        value = config.get(group, {}).get(leaf)
        if isinstance(value, bool) or not isinstance(value, int | float) or not value:
            known = [f"{group}.{key}" for key, value in config.get(group, {}).items() if isinstance(value, float)]
            near = did_you_mean(self.key, known)
            raise UserError(f"tune.key={self.key}: it is {value}, and not a number that could be multiplied.{near}")
        more = {"seed": str(self.seed), "test": "false"}
        values = [float(f"{value * factor:.4g}") for factor in self.factors]
        return [Part({**part.changes, self.key: text(value), **more}, ROLE) for value in values]


def first_of_groups(
    tuning: Tuning, composer: Composer, fixed: Sequence[str], parts: Sequence[Part]
) -> tuple[dict[str, Part], dict[str, list[Part]]]:
    """The first cell of each group, and the cells of each."""
    first: dict[str, Part] = {}
    members: dict[str, list[Part]] = {}
    for part in parts:
        group = tuning.group(composer.compose(fixed, part).config)
        first.setdefault(group, part)
        members.setdefault(group, []).append(part)
    return first, members


def chosen(tuning: Tuning, trials: Mapping[str, Sequence[Cell]]) -> dict[str, Any]:
    """The best value of each group; of those that tie, the smallest. One that diverged is worse than any other.

    Raises:
        UserError: a trial is missing, or all of a group diverged.
    """
    best = {}
    for group, cells in trials.items():
        scored = []
        for cell in cells:
            run = Run(cell.folder)
            if run.done:
                scored.append((run.result()["metrics"]["val/accuracy"], float(cell.part.changes[tuning.key])))
            elif run.status.get("state") != "diverged":
                raise UserError(f"the trial {cell.folder.name} did not finish; the same command again retries it")
        if not scored:
            name, values = cells[0].config["model"]["name"], [cell.part.changes[tuning.key] for cell in cells]
            raise UserError(
                f"tune: all trials of {name} diverged ({tuning.key}={', '.join(values)}); take smaller factors"
            )
        best[group] = min(scored, key=lambda pair: (-pair[0], pair[1]))[1]
    return best
