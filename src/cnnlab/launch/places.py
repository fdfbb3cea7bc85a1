"""How many cells run at once, and on which GPUs."""

import os
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnlab.errors import UserError


def gpus_here(environment: dict[str, str]) -> list[str]:
    """The GPUs that a process with this environment may use, as CUDA_VISIBLE_DEVICES names them.

    CUDA itself is not asked: whoever forks must not have touched it.
    """
    chosen = environment.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return [name for name in chosen.split(",") if name.strip() and name.strip() != "-1"]
    return [str(index) for index, _ in enumerate(Path("/dev").glob("nvidia[0-9]*"))]  # a container counts from 0


def cores() -> int:
    """Of this machine, those that this process may use: a job of a cluster may have a few of many."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads_told() -> int | None:
    """What OMP_NUM_THREADS says, if it is one number (it may be a list, for nested teams)."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    return int(told) if told.isdecimal() and int(told) else None


@dataclass(frozen=True)
class Taken:
    """What a cell has while it runs: so many places, and these GPUs."""

    places: int
    gpus: tuple[str, ...]


def on_gpus(trainer: dict[str, Any], gpus: Collection[str]) -> bool:
    """Whether a run uses GPUs, where these are."""
    return trainer["accelerator"] == "gpu" or (trainer["accelerator"] == "auto" and bool(gpus))


def require_gpus(trainer: dict[str, Any], gpus: Collection[str]) -> None:
    """Raises a UserError if a run asks for more GPUs than there are; where GPUs cannot be seen, it is tried."""
    if on_gpus(trainer, gpus) and sys.platform == "linux" and trainer["devices"] > len(gpus):
        raise UserError(
            f"trainer.devices={trainer['devices']}: this machine has {len(gpus)} GPU(s). "
            "trainer=cpu and trainer=ddp_cpu need none"
        )


class Places:
    """`jobs` processes at once; of those that use GPUs, `per_gpu` on each."""

    def __init__(self, jobs: int, gpus: list[str], per_gpu: int) -> None:
        self.jobs = jobs
        self.free = jobs
        self.shares = dict.fromkeys(gpus, per_gpu)

    def require(self, trainer: dict[str, Any]) -> None:
        """Raises a UserError if a cell could never run here."""
        if trainer["num_nodes"] > 1:
            raise UserError(
                f"trainer.num_nodes={trainer['num_nodes']}: hydra/launcher=local trains cells on this machine; "
                "hydra/launcher=slurm on several"
            )
        require_gpus(trainer, self.shares)

    def take(self, trainer: dict[str, Any]) -> Taken | None:
        """Room for a cell with as many processes as trainer.devices says, or None if there is not enough now."""
        places = min(trainer["devices"], self.jobs)  # more processes than jobs run when nothing else does
        if places > self.free:
            return None
        gpus: list[str] = []
        if on_gpus(trainer, self.shares):
            emptiest = sorted((gpu for gpu, shares in self.shares.items() if shares), key=lambda gpu: -self.shares[gpu])
            gpus = emptiest[: trainer["devices"]]
            if len(gpus) < trainer["devices"]:
                return None
        self.free -= places
        for gpu in gpus:
            self.shares[gpu] -= 1
        return Taken(places, tuple(gpus))

    def give_back(self, taken: Taken) -> None:
        """Room for others."""
        self.free += taken.places
        for gpu in taken.gpus:
            self.shares[gpu] += 1

    def threads(self, trainer: dict[str, Any]) -> int:
        """The fair share of the cores of each of a cell's processes, unless OMP_NUM_THREADS says otherwise."""
        return threads_told() or max(1, cores() // max(self.jobs, trainer["devices"]))


def jobs_of(wanted: str | int, gpus: list[str], per_gpu: int) -> int:
    """hydra.launcher.jobs: a number, or 'auto' for one on each share of a GPU, or one on two cores where there is none.

    Raises:
        UserError: it is something else.
    """
    if wanted == "auto":
        return len(gpus) * per_gpu or max(1, cores() // 2)
    if not isinstance(wanted, int) or isinstance(wanted, bool) or wanted < 1:
        raise UserError(f"hydra.launcher.jobs={wanted}: it must be auto or a whole number of at least 1")
    return wanted
