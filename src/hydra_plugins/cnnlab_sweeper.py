"""Hydra's sweeper that makes a sweep's cells from the command line and a design; plugins are taken from here only."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from cnnlab.check import check
from cnnlab.errors import UserError
from cnnlab.launch.launcher import CellLauncher
from cnnlab.run import Config, Run
from cnnlab.sweep.bayesian import Search
from cnnlab.sweep.cells import Composer
from cnnlab.sweep.design import NOTHING, Combinations, Part, as_texts, combinations, kept, text
from cnnlab.sweep.exclusion import is_excluded
from cnnlab.sweep.source import begun_from, needs_source, source_of, without_keys
from cnnlab.sweep.space import Space, drawn, spaces
from cnnlab.sweep.tuning import Tuning, chosen, first_of_groups

log = logging.getLogger(__name__)


class CellSweeper(Sweeper):
    """The product of what is swept, as Hydra's own, crossed with the design `ablation` (src/cnnlab/sweep/design.py).

    Runs that others begin from are trained first, then the trials that tune=lr chooses by, then the cells.
    """

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.master = config
        self.loader = hydra_context.config_loader
        launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )
        self.launcher = launcher
        if isinstance(launcher, CellLauncher):
            self.launches = launcher

    def sweep(self, arguments: list[str]) -> Any:
        try:
            return self._sweep(arguments)
        finally:
            if isinstance(self.launcher, CellLauncher):
                self.launches.let_go()

    def _sweep(self, arguments: list[str]) -> Any:
        parsed = OverridesParser.create(config_loader=self.loader).parse_overrides(arguments)
        given: Config = OmegaConf.to_container(self.master.ablation, resolve=True)  # type: ignore[assignment]
        design = {**NOTHING, **given}  # ~ablation.leave_out takes a piece away
        tune: Config | None = OmegaConf.to_container(self.master.tune) if self.master.tune is not None else None  # type: ignore[assignment]
        tuning = Tuning.of(tune, {override.key_or_group or "" for override in parsed})
        searched = spaces(design["search"], parsed)
        asked = combinations(design, parsed, searched)
        self.composer = Composer(self.loader, self.master)
        parts = kept(asked.parts, design, lambda part: self._excluded(asked.fixed, part, design["exclude"]))
        if self.launcher and not isinstance(self.launcher, CellLauncher):  # Hydra's own, which compose by themselves
            if tuning or searched or design["exclude"] or any(map(needs_source, parts)):
                raise UserError("tune, ablation.search, exclude and source want hydra/launcher=local, slurm or ray")
            lines = [[*asked.fixed, *part.overrides] for part in asked.with_seeds(parts)]
            return checked(self.launcher.launch(lines, initial_job_idx=0))
        hydras = [o for o in self.master.hydra.overrides.hydra if not o.startswith("hydra.mode=")]
        bayesian = bool(searched) and design["search"]["kind"] == "optuna"
        self.launches.note([*arguments, *hydras], self.master.hydra.runtime.choices.get("ablation"), bayesian)
        if bayesian and not self.launches.trains:  # examples of what it would try
            parts = [
                part + Part({key: text(value) for key, value in draw.items()})
                for part in parts
                for draw in drawn(searched, design["search"])
            ]
        elif bayesian:
            if tuning or any(map(needs_source, parts)):
                raise UserError("ablation.search.kind=optuna does not go together with tune or $source")
            return self._search(asked, parts, searched, design)
        cells = list(asked.with_seeds(parts))
        if tuning or any(map(needs_source, cells)):  # nothing is trained first for what is excluded
            cells = [part for part in cells if not self._excluded(asked.fixed, part, design["exclude"])]
        if any(map(needs_source, cells)):
            cells = self._after_their_source(asked.fixed, cells, as_texts(design["source"]))
        if tuning:
            cells = self._tuned(tuning, asked.fixed, cells)
        return self._launch(asked.fixed, cells, design["exclude"])

    def _excluded(self, fixed: Sequence[str], part: Part, expressions: Sequence[str]) -> bool:
        return bool(expressions) and is_excluded(self.composer.compose(fixed, part), expressions)

    def _launch(self, fixed: Sequence[str], parts: Sequence[Part], exclude: Sequence[str] = ()) -> Sequence[JobReturn]:
        if not parts:
            return []
        return checked(self.launches.launch_parts(self.composer, fixed, parts, exclude))

    def _after_their_source(self, fixed: Sequence[str], cells: Sequence[Part], source: Mapping[str, str]) -> list[Part]:
        """Trains what they begin from."""
        first = unique(source_of(part, source) for part in cells if needs_source(part))
        others = without_keys(fixed, source)
        left = [part for part in first if not Run(self.composer.compose(others, part).folder).done]
        if left and not (self.launches.trains and self.launches.waits):
            waiting = sum(map(needs_source, cells))
            log.info("%s cells begin from the weights of others, which come first:", waiting)
            self._launch(others, first)
            return [part for part in cells if not needs_source(part)]
        if left:
            log.info("first %s runs whose weights others begin from", len(first))
            self._launch(others, first)
        return [begun_from(part, self.composer, fixed, source) for part in cells]

    def _tuned(self, tuning: Tuning, fixed: Sequence[str], cells: Sequence[Part]) -> list[Part]:
        """Trains the trials, and gives each cell the value that is best for its like."""
        if any(tuning.key in part.changes for part in cells):
            raise UserError(f"tune: the design itself sets {tuning.key}; leave tune out, or compare something else")
        first, members = first_of_groups(tuning, self.composer, fixed, cells)
        trials = {
            group: tuning.trials(part, self.composer.compose(fixed, part).config) for group, part in first.items()
        }
        every = [trial for few in trials.values() for trial in few]
        composed = {group: [self.composer.compose(fixed, trial) for trial in few] for group, few in trials.items()}
        left = [cell for few in composed.values() for cell in few if not Run(cell.folder).settled]
        if left and not (self.launches.trains and self.launches.waits):
            log.info("%s trials of %s come first; the cells' own value is not known yet", len(every), tuning.key)
            return every if self.launches.trains else [*every, *cells]
        if left:
            log.info("first %s trials of %s, by val/accuracy", len(every), tuning.key)
            self._launch(fixed, every)
        best = chosen(tuning, composed)
        values: dict[tuple[str, ...], str] = {}
        for group, value in best.items():
            tried = [float(trial.changes[tuning.key]) for trial in trials[group]]
            edge = ", at the edge of what was tried" if value in (min(tried), max(tried)) else ""
            name = composed[group][0].folder.name.rsplit("-s", 1)[0]
            log.info("%s: %s=%g of %s%s", name, tuning.key, value, ", ".join(f"{v:g}" for v in sorted(tried)), edge)
            values |= {tuple(part.overrides): text(value) for part in members[group]}
        return [part + Part({tuning.key: values[tuple(part.overrides)]}) for part in cells]

    def _search(
        self, asked: Combinations, parts: Sequence[Part], searched: dict[str, Space], design: Config
    ) -> Sequence[JobReturn]:
        """Each combination's trials, as many at once as cells run."""
        results: list[JobReturn] = []
        for part in parts:
            cell = self.composer.compose(asked.fixed, part)
            seeds = [seed.changes.get("seed", str(cell.config["seed"])) for seed in asked.seeds]
            search = Search(part, searched, design["search"], seeds, cell)
            while search.left:
                legal: dict[int, list[Part]] = {}
                for number, trial in search.next(self.launches.at_once() or 1):
                    if self._is_legal(asked.fixed, trial, design["exclude"]):
                        legal[number] = [trial + seed for seed in asked.seeds]
                    else:
                        search.refuse(number)
                every = [cell for few in legal.values() for cell in few]
                results += self.launches.launch_parts(self.composer, asked.fixed, every, []) if every else []
                for number, few in legal.items():
                    search.tell(number, [self.composer.compose(asked.fixed, one) for one in few])
            log.info("%s", search.best() or "no trial came to its end")
        return checked(results)

    def _is_legal(self, fixed: Sequence[str], trial: Part, exclude: Sequence[str]) -> bool:
        """Whether a trial's values can be trained together; if not, the log says why."""
        cell = self.composer.compose(fixed, trial)
        try:
            check(cell.config)
        except UserError as error:
            log.warning("%s: %s", trial.told, error)
            return False
        return not (exclude and is_excluded(cell, exclude))


def unique(parts: Iterable[Part]) -> list[Part]:
    """Each once, in their order."""
    return list({tuple(part.overrides): part for part in parts}.values())


def checked(results: Sequence[JobReturn]) -> Sequence[JobReturn]:
    """Raises what the first cell raised that failed."""
    for result in results:
        _ = result.return_value
    return results
