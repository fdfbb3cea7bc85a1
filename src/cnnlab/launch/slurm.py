"""SLURM's side of a sweep: the job of a cell, and what its queue says."""

import json
import re
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnlab.atomic import write_json
from cnnlab.errors import UserError
from cnnlab.launch.child import Work
from cnnlab.launch.patience import train_patiently

# reasons for which a job would be pending for ever, and what they mean
NEVER = {
    "PartitionConfig": "no node of the partition has so many CPUs, GPUs or so much memory",
    "PartitionNodeLimit": "the partition does not give so many nodes",
    "PartitionTimeLimit": "hydra.launcher.minutes is more than the partition allows",
    "BadConstraints": "no node has hydra.launcher.sbatch.constraint, or so many CPUs, GPUs or so much memory",
    "InvalidAccount": "hydra.launcher.sbatch.account",
    "InvalidQOS": "hydra.launcher.sbatch.qos",
    "AccountNotAllowed": "hydra.launcher.sbatch.account",
    "QOSMaxWallDurationPerJobLimit": "hydra.launcher.minutes is more than the QOS allows",
    "QOSMaxCpuPerJobLimit": "it asks for more CPUs than the QOS allows a job",
    "QOSMaxGRESPerJob": "it asks for more GPUs than the QOS allows a job",
    "QOSMaxMemoryPerJob": "it asks for more memory than the QOS allows a job",
    "AssocMaxWallDurationPerJobLimit": "hydra.launcher.minutes is more than the account allows",
    "AssocMaxCpuPerJobLimit": "it asks for more CPUs than the account allows a job",
    "JobHeldAdmin": "an administrator holds it",
    "JobHeldUser": "it is held; `scontrol release` lets it go",
    "launch_failed_requeued_held": "it could not be started, and is held",
}
TICKET = "slurm.json"  # in a cell's folder: the job that trains it


@dataclass(frozen=True)
class CellJob:
    """What submitit runs on each node of a cell's job."""

    work: Work
    max_attempts: int

    def __call__(self) -> None:
        train_patiently(self.work, self.max_attempts, "fork")

    def checkpoint(self) -> Any:
        """Before the time limit, and when SLURM wants the nodes: the same again, which goes on where this one was."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


def queued(jobs: Iterable[str]) -> dict[str, str]:
    """The state of those jobs and array tasks that SLURM has not done with: RUNNING, ..., or why one is pending.

    squeue is asked, since it is everywhere; sacct needs a database.

    Raises:
        UserError: SLURM does not answer.
    """
    arrays = ",".join(sorted({job.split("_")[0] for job in jobs}))
    command = ["squeue", "--noheader", "--array", f"--jobs={arrays}", "--format=%i %T %r"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    except subprocess.CalledProcessError as error:
        if "Invalid job id" in error.stderr:  # it was done so long ago that SLURM has forgotten it
            return {}
        raise UserError(f"squeue: {error.stderr.strip()}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"SLURM does not answer here: {error}") from error
    rows = (line.split(maxsplit=2) for line in told.splitlines() if line.strip())
    return {job: reason.replace(" ", "_") if state == "PENDING" else state for job, state, reason in rows}


def largest_array() -> int:
    """The number of tasks that SLURM takes in one array, 1000 if it does not say."""
    told = subprocess.run(["scontrol", "show", "config"], capture_output=True, text=True).stdout
    found = re.search(r"MaxArraySize\s*=\s*(\d+)", told)
    return max(1, int(found[1]) - 1) if found else 1000


def cancel(job: str) -> None:
    """Takes a job out of the queue."""
    subprocess.run(["scancel", job], check=False, timeout=60)


def remember(folder: Path, job: str, log: Path) -> dict[str, str]:
    """Notes in a cell's folder which job trains it, so that the same command waits for it instead of another one."""
    ticket = {"job": job, "log": str(log), "submitted": str(time.time())}
    write_json(folder / TICKET, ticket)
    return ticket


def remembered(folder: Path) -> dict[str, str]:
    """What `remember` wrote; empty if nothing."""
    file = folder / TICKET
    if not file.exists():
        return {}
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        ticket = {key: str(told[key]) for key in ("job", "log", "submitted")}
        float(ticket["submitted"])
    except (OSError, ValueError, TypeError, LookupError, RecursionError) as error:
        raise UserError(f"{file} cannot be read: {error}. Delete it, and the cell gets a job of its own") from error
    return ticket
