"""The cells of a sweep on this machine."""

import os

from rich.console import Console

from cnnlab.errors import UserError, require_count
from cnnlab.launch.board import Board
from cnnlab.launch.child import Work
from cnnlab.launch.launcher import CellLauncher
from cnnlab.launch.places import Places, gpus_here, jobs_of
from cnnlab.launch.pool import Pool
from cnnlab.launch.preload import preloaded
from cnnlab.launch.rehearsal import disk_bytes, kind, known_kinds, rehearse, require_all, require_disk
from cnnlab.run import Config


class Local(CellLauncher):
    """Trains each cell in a process of its own; whatever becomes of one, the others go on.

    jobs: processes at once, or 'auto'. per_gpu: of them on one GPU. timeout: seconds an attempt may take, None for
    ever. max_attempts: how often a cell that fails is tried. rehearse: tries a batch of each kind of cell first.

    Raises:
        UserError: one of these is not legal, or a cell wants more than this machine has.
    """

    def __init__(self, jobs: str | int, per_gpu: int, timeout: float | None, max_attempts: int, rehearse: bool) -> None:
        require_count("hydra.launcher.per_gpu", per_gpu)
        require_count("hydra.launcher.max_attempts", max_attempts)
        if timeout is not None and not (isinstance(timeout, int | float) and timeout > 0):
            raise UserError(f"hydra.launcher.timeout={timeout}: it must be null or a number of seconds above 0")
        gpus = gpus_here(dict(os.environ))
        self.places = Places(jobs_of(jobs, gpus, per_gpu), gpus, per_gpu)
        self.timeout = timeout
        self.max_attempts = max_attempts
        self.rehearses = rehearse

    def threads_of(self, trainer: Config) -> int:
        return self.places.threads(trainer)

    def require(self, config: Config) -> None:
        self.places.require(config["trainer"])

    def begin(self, telling: list[Config]) -> None:
        self.pool = Pool(self.places, self.timeout, self.max_attempts, preloaded(telling))

    def where(self) -> str:
        return f", {self.places.jobs} at once" if self.places.jobs > 1 else ""

    def at_once(self) -> int | None:
        return self.places.jobs

    def train(self, cells: list[Work], console: Console) -> None:
        with Board(len(cells), console) as board:
            for ended in self.pool.run(cells):
                if ended is not None:
                    board.ended(ended.folder)
                board.look([(one.work.folder, one.since) for one in self.pool.running])

    def examine(self, cells: list[Work], console: Console) -> None:
        """Tries what is not known to work: kinds of cells of which the study has none that is done.

        Raises:
            UserError: a first batch does not go through, or the disk has no room for all.
        """
        if not self.rehearses:
            return
        studies = {work.folder.parent for work in cells}
        known = {key: size for study in studies for key, size in known_kinds(study).items()}
        kinds = {work.folder: kind(work.config) for work in cells}
        rehearsed = rehearse(self.pool, [work for work in cells if kinds[work.folder] not in known], steps=1)
        for remark in require_all(rehearsed, cells):
            console.print(remark, markup=False, highlight=False, soft_wrap=True)
        sizes = [
            disk_bytes(rehearsed[key], work.config) if (key := kinds[work.folder]) in rehearsed else known[key]
            for work in cells
        ]
        require_disk(sum(sizes), cells[0].folder.parent)
