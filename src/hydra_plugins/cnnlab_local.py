"""Hydra's plugins for the cells of a sweep on this machine; Hydra takes them from this name space only."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.utils import JobReturn, JobStatus, configure_log, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cnnlab.cell import resolved
from cnnlab.errors import UserError
from cnnlab.launch.board import Board
from cnnlab.launch.child import Work
from cnnlab.launch.places import Places, gpus_here, jobs_of
from cnnlab.launch.pool import Pool
from cnnlab.launch.preload import first_of_each_choice, preloaded
from cnnlab.run import Run


class LocalSweeper(BasicSweeper):
    """Hydra's own, which composes every cell to see whether it is legal; LocalLauncher does, before any starts."""

    def validate_batch_is_legal(self, batch: Sequence[Sequence[str]]) -> None:
        if not isinstance(self.launcher, LocalLauncher):
            super().validate_batch_is_legal(batch)


class LocalLauncher(Launcher):
    """Trains each cell in a process of its own; whatever becomes of one, the others go on.

    All cells are composed and checked before the first one starts; equal cells are trained once, and cells that are
    done are left as they are.

    jobs: processes at once, or 'auto'. per_gpu: of them on one GPU. timeout: seconds an attempt may take, None for
    ever. max_attempts: how often a cell that fails is tried.

    Raises:
        UserError: one of these is not legal, or a cell wants more GPUs than there are.
    """

    def __init__(self, jobs: str | int, per_gpu: int, timeout: float | None, max_attempts: int) -> None:
        for key, value in (("per_gpu", per_gpu), ("max_attempts", max_attempts)):
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise UserError(f"hydra.launcher.{key}={value}: it must be a whole number of at least 1")
        if timeout is not None and not (isinstance(timeout, int | float) and timeout > 0):
            raise UserError(f"hydra.launcher.timeout={timeout}: it must be null or a number of seconds above 0")
        gpus = gpus_here(dict(os.environ))
        self.places = Places(jobs_of(jobs, gpus, per_gpu), gpus, per_gpu)
        self.timeout = timeout
        self.max_attempts = max_attempts

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.context = hydra_context
        self.config = config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        setup_globals()
        configure_log(self.config.hydra.hydra_logging, self.config.hydra.verbose)
        cells, folders, pool = self._compose_all(job_overrides, initial_job_idx)
        todo: dict[Path, Work] = {}
        for cell, folder in zip(cells, folders, strict=True):
            if not Run(folder).done and folder not in todo:
                todo[folder] = self._work(cell, folder)
        console = Console()
        places = f", {self.places.jobs} at once" if self.places.jobs > 1 else ""
        console.print(f"[bold]{len(cells)} cells[/] in {escape(str(folders[0].parent))}, {len(todo)} to train{places}")
        if pool:
            self._train(pool, list(todo.values()), console)
        console.print(_table(dict.fromkeys(folders)))
        return [_outcome(cell, Run(folder)) for cell, folder in zip(cells, folders, strict=True)]

    def _compose_all(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> tuple[list[DictConfig], list[Path], Pool | None]:
        """The cells, their folders, and a pool if one is not done, which imports what they need at the same time.

        Composed first are those from which one sees what that is.
        """
        telling = first_of_each_choice(job_overrides, self.context.config_loader.list_groups(""))
        cells: dict[int, DictConfig] = {}
        folders: dict[int, Path] = {}
        pool = None
        for turn, n in enumerate([*telling, *(n for n in range(len(job_overrides)) if n not in telling)], 1):
            cell = cells[n] = self._compose(job_overrides[n], initial_job_idx + n)
            folders[n] = Path(cell.hydra.sweep.dir, cell.hydra.sweep.subdir)  # naming a cell checks it
            if turn >= len(telling) and not pool and not all(Run(folder).done for folder in folders.values()):
                modules = preloaded([resolved(cells[n]) for n in telling])
                pool = Pool(self.places, self.timeout, self.max_attempts, modules)
        return [cells[n] for n in sorted(cells)], [folders[n] for n in sorted(folders)], pool

    def _compose(self, overrides: Sequence[str], number: int) -> DictConfig:
        cell: DictConfig = self.context.config_loader.load_sweep_config(self.config, list(overrides))
        with open_dict(cell):
            cell.hydra.job.id = str(number)
            cell.hydra.job.num = number
        return cell

    def _work(self, cell: DictConfig, folder: Path) -> Work:
        config = resolved(cell)
        self.places.require(config["trainer"])
        environment = {str(name): str(value) for name, value in cell.hydra.job.env_set.items()}
        overrides = list(cell.hydra.overrides.task)
        return Work(config, folder.absolute(), overrides, environment, self.places.threads, str(Path.cwd()))

    def _train(self, pool: Pool, cells: list[Work], console: Console) -> None:
        with Board(len(cells), self.places.jobs, console) as board:
            for ended in pool.run(cells):
                if ended is not None:
                    board.ended(ended.folder)
                board.look([(one.work.folder, one.since) for one in pool.running])


def _outcome(cell: DictConfig, run: Run) -> JobReturn:
    """What Hydra expects of a job."""
    outcome = JobReturn(overrides=list(cell.hydra.overrides.task))
    if run.done:
        outcome.status = JobStatus.COMPLETED
        outcome.return_value = run.result()["metrics"]["val/accuracy"]
    else:
        outcome.status = JobStatus.FAILED
        outcome.return_value = UserError(
            f"some cells did not finish; the first is {run.folder.name} ({run.status.get('error', 'it never began')}). "
            f"{run.folder}/status.json and console.log tell more. "
            "The same command again retries them and keeps the rest."
        )
    return outcome


def _table(folders: dict[Path, Any]) -> Table:
    table = Table(box=None)
    table.add_column("cell", overflow="fold")
    table.add_column("state")
    table.add_column("val accuracy", justify="right")
    table.add_column("test accuracy", justify="right")
    for folder in folders:
        run = Run(folder)
        metrics = run.result()["metrics"] if run.done else {}
        scores = [f"{metrics[key]:.2%}" if key in metrics else "" for key in ("val/accuracy", "test/accuracy")]
        table.add_row(folder.name, run.status.get("state", "not started"), *scores)
    return table
