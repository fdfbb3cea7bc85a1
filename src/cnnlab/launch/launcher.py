"""What Hydra's launchers of cells have in common, wherever the cells are trained."""

from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from hydra.core.utils import JobReturn, configure_log, setup_globals
from hydra.errors import HydraException
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException
from rich.console import Console
from rich.markup import escape

from cnnlab.errors import UserError
from cnnlab.launch.child import Work
from cnnlab.launch.code_change import sort_out
from cnnlab.launch.offline_runs import not_sent
from cnnlab.launch.outcome import outcome, table
from cnnlab.launch.preload import first_of_each_choice
from cnnlab.launch.rehearsal import kind
from cnnlab.run import Config, Run
from cnnlab.study import lock
from cnnlab.study.record import add_to_record
from cnnlab.sweep.cells import Cell, Composer
from cnnlab.sweep.design import Part
from cnnlab.sweep.exclusion import is_excluded


class CellLauncher(Launcher):
    """Composes and checks all cells before the first one starts; equal cells are trained once, and cells that are done
    are left as they are.
    """

    waits = True  # until the cells have come to their end
    trains = True  # rather than say what would be trained

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.context = hydra_context
        self.config = config
        self.locks: dict[Path, TextIO] = {}

    def threads_of(self, trainer: Config) -> int:
        """Of each process of a cell."""
        raise NotImplementedError

    def require(self, config: Config) -> None:
        """Raises a UserError if a cell could never run there."""
        raise NotImplementedError

    def refuse(self, part: Part, error: Exception) -> None:
        """What is done about a cell that is not legal: none starts."""
        raise error

    def begin(self, telling: list[Config]) -> None:
        """Is called as soon as it is known that there is something to train, with cells that tell of what kinds."""

    def examine(self, cells: list[Work], console: Console) -> None:
        """Raises a UserError if something would keep cells from their end; nothing is trained, or lost, then."""

    def train(self, cells: list[Work], console: Console) -> None:
        """Trains them; what became of each is in its folder."""
        raise NotImplementedError

    def where(self) -> str:
        """For the first line of what is said."""
        return ""

    def at_once(self) -> int | None:
        """How many cells run at a time, if that is known."""
        return None

    def note(self, command: Sequence[str], ablation: str | None, piecemeal: bool = False) -> None:
        """For study.json: by what the cells were asked for. piecemeal: some now, others once these are done."""
        self.command = list(command)
        self.ablation = ablation
        self.piecemeal = piecemeal

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """For sweepers other than ours."""
        composer = Composer(self.context.config_loader, self.config)
        parts = [Part(dict(override.split("=", 1) for override in overrides)) for overrides in job_overrides]
        self.note([], None, piecemeal=True)
        return self.launch_parts(composer, [], parts, [])

    def launch_parts(
        self, composer: Composer, fixed: Sequence[str], parts: Sequence[Part], exclude: Sequence[str]
    ) -> Sequence[JobReturn]:
        """Composes and names all cells, notes them in study.json, and trains those that are not done."""
        setup_globals()
        configure_log(self.config.hydra.hydra_logging, self.config.hydra.verbose)
        cells = self._compose_all(composer, fixed, parts, exclude)
        for folder in sorted({cell.study for cell in cells} - self.locks.keys()):
            self.locks[folder] = lock.take(folder, self.command)
        once = each_once(cells)
        out = sort_out({folder: cell.config for folder, cell in once.items()})
        todo = {folder: self._work(once[folder]) for folder in out.todo}
        console = Console()
        study = escape(str(cells[0].study))
        cell_or_cells = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
        console.print(f"[bold]{cell_or_cells}[/] in {study}, {len(todo)} to train{self.where()}", soft_wrap=True)
        self._record(cells)
        if out.said:
            console.print(out.said, soft_wrap=True, markup=False, highlight=False)
        if todo:
            self.examine(list(todo.values()), console)
            for folder in out.anew:
                Run(folder).result_file.unlink(missing_ok=True)  # no longer done, for whoever looks
            self.train(list(todo.values()), console)
        console.print(table(list(once.values())))
        for line in not_sent(list(once.values())):
            console.print(line, soft_wrap=True, markup=False, highlight=False)
        return [outcome(cell, self.waits) for cell in cells]

    def let_go(self) -> None:
        """Other commands may train in the studies, now that all parts of this one came to their end."""
        while self.locks:
            _, held = self.locks.popitem()
            lock.give_back(held)

    def _compose_all(
        self, composer: Composer, fixed: Sequence[str], parts: Sequence[Part], exclude: Sequence[str]
    ) -> list[Cell]:
        """The cells that are not excluded; those from which one sees what is to be imported are composed first."""
        telling = first_of_each_choice([part.overrides for part in parts], list(composer.groups))
        cells: dict[int, Cell] = {}
        self.excluded = 0
        begun = left = False
        for turn, n in enumerate([*telling, *sorted(set(range(len(parts))) - set(telling))], 1):
            try:
                cell = composer.compose(fixed, parts[n])
                if exclude and is_excluded(cell, exclude):
                    self.excluded += 1
                else:
                    done = Run(cell.folder).settled  # naming a cell checks it
                    left = left or not done or cell.config["on_code_change"] == "retrain"
                    cells[n] = cell
            except (UserError, HydraException, OmegaConfBaseException) as error:
                self.refuse(parts[n], error)
            if turn >= len(telling) and left and not begun:
                begun = True
                self.begin([cells[n].config for n in telling if n in cells])
        if self.excluded == len(parts):
            raise UserError("ablation.exclude: no cell is left")
        return [cells[n] for n in sorted(cells)]

    def _record(self, cells: Sequence[Cell]) -> None:
        """In study.json, for those who want to know what there should be."""
        for study in dict.fromkeys(cell.study for cell in cells):
            noted = {
                cell.folder.name: {
                    "overrides": [o for o in cell.part.overrides if not o.startswith("pruning=")],
                    "labels": dict(cell.part.labels),
                    "kind": kind(cell.config),
                }
                for cell in cells
                if cell.study == study
            }
            whole = not self.piecemeal and not any("role" in cell.part.labels for cell in cells)
            add_to_record(study, self.command, noted, self.at_once(), self.ablation, whole)

    def _work(self, cell: Cell) -> Work:
        self.require(cell.config)
        threads = self.threads_of(cell.config["trainer"])
        folder, cwd = cell.folder.absolute(), str(Path.cwd())
        return Work(cell.config, folder, cell.overrides, cell.environment, threads, cwd)


def each_once(cells: Sequence[Cell]) -> dict[Path, Cell]:
    """By folder, which cells that mean the same share; in their order."""
    once: dict[Path, Cell] = {}
    for cell in cells:
        once.setdefault(cell.folder, cell)
    return once
