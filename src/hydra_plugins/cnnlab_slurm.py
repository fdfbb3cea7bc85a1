"""Hydra's launcher for cells as jobs of SLURM; Hydra takes plugins from this name space only."""

import logging
import time
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.console import Console

from cnnlab.errors import UserError, require_count
from cnnlab.launch.board import Board
from cnnlab.launch.child import Work
from cnnlab.launch.launcher import CellLauncher
from cnnlab.launch.slurm import NEVER, CellJob, cancel, largest_array, queued, remember, remembered
from cnnlab.run import Config, Run

log = logging.getLogger(__name__)


class SlurmLauncher(CellLauncher):
    """One array task for each cell, on trainer.num_nodes nodes with trainer.devices processes each, through submitit.

    A cell goes on after its time limit and when it was preempted. With the launcher ended, the jobs go on; the same
    command again waits for them. The keys are explained in conf/hydra/launcher/slurm.yaml.

    Raises:
        UserError: a key is not legal, or SLURM is not there.
    """

    def __init__(
        self,
        minutes: int,
        cpus_per_process: int,
        memory_gib: float | None,
        jobs: int | None,
        max_attempts: int,
        max_timeouts: int,
        warn_seconds: int,
        look_seconds: float,
        late_seconds: float,
        wait: bool,
        setup: list[str],
        sbatch: dict[str, Any],
    ) -> None:
        counts = {"minutes": minutes, "cpus_per_process": cpus_per_process, "max_attempts": max_attempts}
        for key, value in {**counts, "jobs": 1 if jobs is None else jobs, "warn_seconds": warn_seconds}.items():
            require_count(f"hydra.launcher.{key}", value)
        require_count("hydra.launcher.max_timeouts", max_timeouts, least=0)
        self.cpus_per_process = cpus_per_process
        self.memory_gib = memory_gib
        self.minutes = minutes
        self.jobs = jobs
        self.max_attempts = max_attempts
        self.max_timeouts = max_timeouts
        self.warn_seconds = warn_seconds
        self.look_seconds = look_seconds
        self.late_seconds = late_seconds
        self.waits = wait
        self.setup_lines = setup
        self.sbatch = sbatch

    def threads_of(self, trainer: Config) -> int:
        return self.cpus_per_process

    def require(self, config: Config) -> None:
        if config["trainer"]["accelerator"] == "auto":
            raise UserError(
                "trainer.accelerator=auto: what is on the nodes cannot be seen from here. Say trainer=gpu or "
                "trainer=ddp, which ask SLURM for trainer.devices GPUs a node, or trainer=cpu"
            )

    def where(self) -> str:
        return ", as SLURM jobs"

    def train(self, cells: list[Work], console: Console) -> None:
        tickets = {work.folder: remembered(work.folder) for work in cells}
        waiting = queued(ticket["job"] for ticket in tickets.values() if ticket) if any(tickets.values()) else {}
        there = {folder: ticket for folder, ticket in tickets.items() if ticket and ticket["job"] in waiting}
        if there:
            console.print(f"{len(there)} of them are in SLURM's queue already")
        for _, group in groupby(sorted((work for work in cells if work.folder not in there), key=needs), key=needs):
            for work, job in self._submit_all(list(group)):
                there[work.folder] = remember(work.folder, job.job_id, job.paths.stdout)
        ids = " ".join(sorted({ticket["job"].split("_")[0] for ticket in there.values()}))
        console.print(f"SLURM jobs {ids}; they go on when this command ends, until `scancel {ids}`", soft_wrap=True)
        if self.waits:
            self._watch(there, console)

    def _submit_all(self, cells: list[Work]) -> Iterator[tuple[Work, Any]]:
        """Arrays of cells that need the same, each as large as the cluster takes."""
        largest = largest_array()
        for first in range(0, len(cells), largest):
            yield from self._submit(cells[first : first + largest])

    def _submit(self, cells: list[Work]) -> list[tuple[Work, Any]]:
        """An array of cells that need the same."""
        try:
            import submitit
        except ImportError as error:
            raise UserError("hydra/launcher=slurm needs submitit: pip install 'cnnlab[slurm]'") from error

        trainer = cells[0].config["trainer"]
        study = cells[0].folder.parent
        executor = submitit.AutoExecutor(study / ".slurm", cluster="slurm", slurm_max_num_timeout=self.max_timeouts)
        wanted = {
            "name": study.name,
            "timeout_min": self.minutes,
            "nodes": trainer["num_nodes"],
            "tasks_per_node": 1,
            "cpus_per_task": self.cpus_per_process * trainer["devices"],
            "mem_gb": self.memory_gib and self.memory_gib * trainer["devices"],
            "gpus_per_node": trainer["devices"] if trainer["accelerator"] == "gpu" else None,
            "slurm_array_parallelism": self.jobs or len(cells),
            "slurm_signal_delay_s": self.warn_seconds,
            "slurm_setup": self.setup_lines or None,
            "slurm_additional_parameters": {"requeue": True} | {k: v for k, v in self.sbatch.items() if v is not None},
            "stderr_to_stdout": True,
            # srun does not inherit it from sbatch
            "slurm_srun_args": [f"--cpus-per-task={self.cpus_per_process * trainer['devices']}"],
        }
        executor.update_parameters(**{key: value for key, value in wanted.items() if value is not None})
        try:
            with executor.batch():
                jobs = [executor.submit(CellJob(work, self.max_attempts)) for work in cells]
        except (RuntimeError, OSError) as error:  # submitit's own are RuntimeErrors
            raise UserError(f"SLURM does not take the job: {str(error).strip().splitlines()[-1]}") from error
        return list(zip(cells, jobs, strict=True))

    def _watch(self, tickets: dict[Path, dict[str, str]], console: Console) -> None:
        """Until each cell has come to its end."""
        left = dict(tickets)
        well = dict.fromkeys(left, time.monotonic())  # when a job was last seen, and not stuck
        since: dict[Path, float] = {}
        with Board(len(left), console) as board:
            while left:
                states = self._states(left)
                now = time.monotonic()
                for folder, ticket in list(left.items()):
                    state = states.get(ticket["job"])
                    never = NEVER.get(state or "")
                    if state == "RUNNING":
                        since.setdefault(folder, now)
                    if state and not never:
                        well[folder] = now
                    if Run(folder).done or now - well[folder] > self.late_seconds:
                        if never:
                            cancel(ticket["job"])
                        nowhere = f"SLURM has nowhere to run it ({state}): {never}"
                        ended = f"its SLURM job {ticket['job']} ended; {ticket['log']} tells more"
                        Run(folder).close(nowhere if never else ended, 1, float(ticket["submitted"]))
                        board.ended(folder)
                        del left[folder]
                board.look([(folder, since[folder]) for folder in left if folder in since])
                time.sleep(self.look_seconds if left else 0)

    def _states(self, left: dict[Path, dict[str, str]]) -> dict[str, str]:
        """What SLURM says of the jobs; while it does not answer, it is asked again for up to ten minutes."""
        deadline = time.monotonic() + 600
        while True:
            try:
                return queued(ticket["job"] for ticket in left.values())
            except UserError as error:
                if time.monotonic() > deadline:
                    raise
                log.warning("%s; asking again", error)
                time.sleep(30)


def needs(work: Work) -> tuple[Any, ...]:
    """What a job is asked for; cells with the same share an array."""
    return tuple(work.config["trainer"][key] for key in ("num_nodes", "devices", "accelerator"))
