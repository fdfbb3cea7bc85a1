"""What Hydra's launchers of cells have in common, wherever the cells are trained."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn, JobStatus, configure_log, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cnnlab.cell import resolved
from cnnlab.errors import UserError
from cnnlab.launch.child import Work
from cnnlab.launch.code_change import sort_out
from cnnlab.launch.preload import first_of_each_choice
from cnnlab.run import Config, Run


class CellLauncher(Launcher):
    """Composes and checks all cells before the first one starts; equal cells are trained once, and cells that are done
    are left as they are.
    """

    waits = True  # until the cells have come to their end

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.context = hydra_context
        self.config = config

    def threads_of(self, trainer: Config) -> int:
        """Of each process of a cell."""
        raise NotImplementedError

    def require(self, config: Config) -> None:
        """Raises a UserError if a cell could never run there."""
        raise NotImplementedError

    def begin(self, telling: list[Config]) -> None:
        """Is called as soon as it is known that there is something to train, with cells that tell of what kinds."""

    def train(self, cells: list[Work], console: Console) -> None:
        """Trains them; what became of each is in its folder."""
        raise NotImplementedError

    def where(self) -> str:
        """For the first line of what is said."""
        return ""

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        setup_globals()
        configure_log(self.config.hydra.hydra_logging, self.config.hydra.verbose)
        cells, folders = self._compose_all(job_overrides, initial_job_idx)
        by_folder = dict(zip(folders, cells, strict=True))
        out = sort_out({folder: resolved(cell) for folder, cell in by_folder.items()})
        todo = {folder: self._work(by_folder[folder], folder) for folder in out.todo}
        for folder in out.anew:
            Run(folder).result_file.unlink()  # no longer done, for whoever looks
        console = Console()
        study = escape(str(folders[0].parent))
        console.print(f"[bold]{len(cells)} cells[/] in {study}, {len(todo)} to train{self.where()}", soft_wrap=True)
        if out.said:
            console.print(out.said, soft_wrap=True, markup=False, highlight=False)
        if todo:
            self.train(list(todo.values()), console)
        console.print(table(dict.fromkeys(folders)))
        return [outcome(cell, Run(folder), self.waits) for cell, folder in zip(cells, folders, strict=True)]

    def _compose_all(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> tuple[list[DictConfig], list[Path]]:
        """The cells and their folders; those from which one sees what is to be imported are composed first."""
        telling = first_of_each_choice(job_overrides, self.context.config_loader.list_groups(""))
        cells: dict[int, DictConfig] = {}
        folders: dict[int, Path] = {}
        begun = left = False
        for turn, n in enumerate([*telling, *(n for n in range(len(job_overrides)) if n not in telling)], 1):
            cell = cells[n] = self._compose(job_overrides[n], initial_job_idx + n)
            folders[n] = Path(cell.hydra.sweep.dir, cell.hydra.sweep.subdir)  # naming a cell checks it
            left = left or not Run(folders[n]).done or cell.on_code_change == "retrain"
            if turn >= len(telling) and not begun and left:
                begun = True
                self.begin([resolved(cells[n]) for n in telling])
        return [cells[n] for n in sorted(cells)], [folders[n] for n in sorted(folders)]

    def _compose(self, overrides: Sequence[str], number: int) -> DictConfig:
        cell: DictConfig = self.context.config_loader.load_sweep_config(self.config, list(overrides))
        with open_dict(cell):
            cell.hydra.job.id = str(number)
            cell.hydra.job.num = number
        return cell

    def _work(self, cell: DictConfig, folder: Path) -> Work:
        config = resolved(cell)
        self.require(config)
        environment = {str(name): str(value) for name, value in cell.hydra.job.env_set.items()}
        overrides = list(cell.hydra.overrides.task)
        threads = self.threads_of(config["trainer"])
        return Work(config, folder.absolute(), overrides, environment, threads, str(Path.cwd()))


def require_count(key: str, value: Any, least: int = 1) -> None:
    """Raises a UserError unless a key of hydra.launcher is a whole number of at least that."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise UserError(f"hydra.launcher.{key}={value}: it must be a whole number of at least {least}")


def outcome(cell: DictConfig, run: Run, waited: bool) -> JobReturn:
    """What Hydra expects of a job; one that nobody waited for has not failed because it is not done."""
    told = JobReturn(overrides=list(cell.hydra.overrides.task))
    if run.done:
        told.status = JobStatus.COMPLETED
        told.return_value = run.result()["metrics"]["val/accuracy"]
    elif not waited and run.status.get("state") not in ("failed", "diverged"):
        told.status = JobStatus.COMPLETED
    else:
        told.status = JobStatus.FAILED
        told.return_value = UserError(
            f"some cells did not finish; the first is {run.folder.name} ({what_happened(run.status)}). "
            f"{run.folder}/status.json and console.log tell more. "
            "The same command again retries them and keeps the rest."
        )
    return told


def what_happened(status: dict[str, Any]) -> str:
    """To a cell that is not done."""
    return str(status.get("error") or status.get("state") or "it never began")


def table(folders: dict[Path, Any]) -> Table:
    """What became of the cells."""
    shown = Table(box=None)
    shown.add_column("cell", overflow="fold")
    shown.add_column("state")
    shown.add_column("val accuracy", justify="right")
    shown.add_column("test accuracy", justify="right")
    for folder in folders:
        run = Run(folder)
        metrics = run.result()["metrics"] if run.done else {}
        scores = [f"{metrics[key]:.2%}" if key in metrics else "" for key in ("val/accuracy", "test/accuracy")]
        shown.add_row(folder.name, run.status.get("state", "not started"), *scores)
    return shown
