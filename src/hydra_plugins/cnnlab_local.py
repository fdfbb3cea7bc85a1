"""Hydra's launcher for the cells of a sweep on this machine; Hydra takes plugins from this name space only."""

import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn, JobStatus, configure_log, run_job, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cnnlab.errors import UserError
from cnnlab.run import Run

log = logging.getLogger(__name__)


class LocalLauncher(Launcher):
    """Trains cells one after another in this process; one that fails does not stop the rest.

    All cells are composed and checked before the first one starts; equal cells are trained once, and cells that are
    done are left as they are.
    """

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.context = hydra_context
        self.task = task_function
        self.config = config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        setup_globals()
        configure_log(self.config.hydra.hydra_logging, self.config.hydra.verbose)
        cells = [self._compose(overrides, initial_job_idx + i) for i, overrides in enumerate(job_overrides)]
        folders = [Path(cell.hydra.sweep.dir, cell.hydra.sweep.subdir) for cell in cells]  # naming a cell checks it
        todo = sum(not Run(folder).done for folder in dict.fromkeys(folders))
        console, begun, trained = Console(), time.monotonic(), 0
        console.print(f"[bold]{len(cells)} cells[/] in {escape(str(folders[0].parent))}, {todo} to train")
        outcomes: dict[Path, JobReturn] = {}
        for cell, folder in zip(cells, folders, strict=True):
            if folder in outcomes:
                continue
            if Run(folder).done:
                outcomes[folder] = _finished(cell, Run(folder).result())
                continue
            eta = f", ETA {(time.monotonic() - begun) / trained * (todo - trained):.0f} s" if trained else ""
            console.print(f"\n[bold]cell {trained + 1}/{todo}[/] {escape(folder.name)}{eta}")
            outcomes[folder] = self._run(cell, folder)
            trained += 1
        console.print(_table(outcomes))
        return [outcomes[folder] for folder in folders]

    def _compose(self, overrides: Sequence[str], number: int) -> DictConfig:
        cell: DictConfig = self.context.config_loader.load_sweep_config(self.config, list(overrides))
        with open_dict(cell):
            cell.hydra.job.id = str(number)
            cell.hydra.job.num = number
        return cell

    def _run(self, cell: DictConfig, folder: Path) -> JobReturn:
        outcome = run_job(
            task_function=self.task,
            config=cell,
            job_dir_key="hydra.sweep.dir",
            job_subdir_key="hydra.sweep.subdir",
            hydra_context=self.context,
        )
        configure_log(self.config.hydra.hydra_logging, self.config.hydra.verbose)
        if outcome.status == JobStatus.FAILED:
            error = outcome._return_value
            log.error("%s: %s: %s", folder.name, type(error).__name__, error)
            outcome.return_value = UserError(
                f"some cells did not finish; the first is {folder.name} ({type(error).__name__}: {error}). "
                f"{folder}/status.json has its traceback. The same command again retries them and keeps the rest."
            )
        return outcome


def _finished(cell: DictConfig, result: dict[str, Any]) -> JobReturn:
    """What Hydra expects of a job, for one that an earlier command ran."""
    outcome = JobReturn(overrides=list(cell.hydra.overrides.task), status=JobStatus.COMPLETED)
    outcome.return_value = result["metrics"]["val/accuracy"]
    return outcome


def _table(outcomes: dict[Path, JobReturn]) -> Table:
    table = Table(box=None)
    table.add_column("cell", overflow="fold")
    table.add_column("state")
    table.add_column("val accuracy", justify="right")
    table.add_column("test accuracy", justify="right")
    for folder in outcomes:
        run = Run(folder)
        metrics = run.result()["metrics"] if run.done else {}
        scores = [f"{metrics[key]:.2%}" if key in metrics else "" for key in ("val/accuracy", "test/accuracy")]
        table.add_row(folder.name, run.status.get("state", "not started"), *scores)
    return table
