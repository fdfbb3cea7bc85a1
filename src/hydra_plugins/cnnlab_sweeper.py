"""Hydra's plugin that makes a sweep's cells from the command line and a design."""

from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from cnnlab.launch.launcher import CellLauncher
from cnnlab.study.cells import Composer, is_excluded
from cnnlab.study.design import combinations, kept
from cnnlab.study.space import spaces


class CellSweeper(Sweeper):
    """The product of what is swept, as Hydra's own, crossed with the design `ablation` (src/cnnlab/study/design.py)."""

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.master = config
        self.loader = hydra_context.config_loader
        self.launches = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Any:
        parsed = OverridesParser.create(config_loader=self.loader).parse_overrides(arguments)
        design: dict[str, Any] = OmegaConf.to_container(self.master.ablation, resolve=True)  # type: ignore[assignment]
        asked = combinations(design, parsed, spaces(design["search"], parsed))
        composer = Composer(self.loader, self.master)
        parts = kept(
            asked.parts, design, lambda part: is_excluded(composer.compose(asked.fixed, part), design["exclude"])
        )
        parts = list(asked.with_seeds(parts))
        if isinstance(self.launches, CellLauncher):
            self.launches.note(arguments, self.master.hydra.runtime.choices.get("ablation"))
            results = self.launches.launch_parts(composer, asked.fixed, parts, design["exclude"])
        else:  # Hydra's own, which compose by themselves
            results = self.launches.launch([[*asked.fixed, *part.overrides] for part in parts], initial_job_idx=0)
        for result in results:
            _ = result.return_value  # raises what a cell raised
        return results
