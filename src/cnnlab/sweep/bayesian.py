"""Bayesian search with Optuna: its trials are cells, its memory a journal in the study's folder."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

from cnnlab.cell import identity
from cnnlab.errors import UserError, require_one_of
from cnnlab.journal import journal
from cnnlab.run import Config, Run
from cnnlab.sweep.cells import Cell, with_value
from cnnlab.sweep.design import Part, text
from cnnlab.sweep.space import Space, shortened

JOURNAL = "optuna.journal"
PRUNERS = ("none", "median")


class Search:
    """One combination of whatever else the sweep varies, searched for the highest val/accuracy (mean over seeds).

    TPE (Bergstra et al.: Algorithms for hyper-parameter optimization, 2011). Trials that were not finished when a
    launcher was ended are taken up again, those that are finished are not trained anew.
    """

    def __init__(
        self, part: Part, spaces: Mapping[str, Space], search: Config, seeds: Sequence[str], cell: Cell
    ) -> None:
        """part: what is varied besides; seeds: of each trial; cell: as it is composed, but for what is searched."""
        self.part = part
        self.spaces = spaces
        self.trials: int = search["trials"]
        self.journal = cell.study / JOURNAL
        self.pruner: str = search.get("pruner", "none")
        require_one_of("ablation.search.pruner", self.pruner, PRUNERS)
        if self.pruner != "none" and len(seeds) > 1:
            raise UserError(
                f"ablation.search.pruner={self.pruner}: a trial of {seeds} seeds cannot be ended early; take one seed"
            )
        # whatever else the cells have in common is part of what is searched
        same = reduce(lambda config, key: with_value(config, key.split("."), None), [*spaces, "seed"], cell.config)
        what = repr((identity(same), dict(spaces), self.pruner, list(seeds)))
        self.name = "search-" + hashlib.sha256(what.encode()).hexdigest()[:12]
        kept = journal(self.journal)
        import optuna

        self.optuna = optuna
        self.study = optuna.create_study(storage=kept, study_name=self.name, direction="maximize", load_if_exists=True)
        # a launcher that begins again must not draw what the one before it drew
        self.study.sampler = optuna.samplers.TPESampler(seed=search["seed"] + len(self.study.trials))
        self.failed = 0  # in this launcher's time; the next one tries them again
        self.unfinished = [trial for trial in self.study.trials if trial.state == optuna.trial.TrialState.RUNNING]
        self.distributions = {key: self._distribution(space) for key, space in spaces.items()}

    @property
    def left(self) -> int:
        """Trials that are still to be begun or finished."""
        ended = sum(trial.state.is_finished() for trial in self.study.trials)
        return max(0, self.trials - ended - self.failed)

    def next(self, at_once: int) -> list[tuple[int, Part]]:
        """Numbers of trials with their cells, without seeds."""
        count = min(at_once, self.left)
        taken, self.unfinished = self.unfinished[:count], self.unfinished[count:]
        again = [(trial.number, self._part(trial.number, trial.params)) for trial in taken]
        return [*again, *(self._ask() for _ in range(count - len(again)))]

    def _ask(self) -> tuple[int, Part]:
        trial = self.study.ask(self.distributions)
        return trial.number, self._part(trial.number, trial.params)

    def _distribution(self, space: Space) -> Any:
        kinds = self.optuna.distributions
        if space.choices:
            return kinds.CategoricalDistribution(space.choices)
        if space.integer:
            return kinds.IntDistribution(int(space.low), int(space.high), log=space.log)
        return kinds.FloatDistribution(space.low, space.high, log=space.log)

    def _part(self, number: int, params: Mapping[str, Any]) -> Part:
        values = {key: shortened(value) if isinstance(value, float) else value for key, value in params.items()}
        changes = {**self.part.changes, **{key: text(value) for key, value in values.items()}}
        if self.pruner == "median":
            changes["pruning"] = text({"storage": str(self.journal), "study": self.name, "trial": number})
        return Part(changes, self.part.labels, self.part.behind | {"pruning"})

    def tell(self, number: int, cells: Sequence[Cell]) -> None:
        """What became of a trial's cells."""
        states = self.optuna.trial.TrialState
        runs = [Run(cell.folder) for cell in cells]
        results = [run.result() for run in runs if run.done]
        if any(result.get("pruned") for result in results):
            self.study.tell(number, state=states.PRUNED)
        elif len(results) == len(runs):
            self.study.tell(number, sum(result["metrics"]["val/accuracy"] for result in results) / len(results))
        elif any(run.status.get("state") == "diverged" for run in runs):
            self.study.tell(number, 0.0)
        else:
            self.failed += 1

    def refuse(self, number: int) -> None:
        """A trial whose values are not legal together, or excluded."""
        self.study.tell(number, state=self.optuna.trial.TrialState.FAIL)

    def best(self) -> str:
        """The best trial in a line; empty if there is none."""
        ended = [(trial.value, trial) for trial in self.study.trials if trial.value is not None]
        if not ended:
            return ""
        accuracy, trial = max(ended, key=lambda pair: pair[0])
        values = " ".join(f"{k}={shortened(v) if isinstance(v, float) else v}" for k, v in trial.params.items())
        return f"best of {len(self.study.trials)} trials: val/accuracy {accuracy:.4f} with {values}"
