"""Hydra's launcher for cells as tasks of a Ray cluster; Hydra takes plugins from this name space only."""

import logging
import socket
import time
from pathlib import Path
from typing import Any

from rich.console import Console

from cnnlab.errors import UserError, require_count
from cnnlab.launch.board import Board
from cnnlab.launch.child import GRACE, Work
from cnnlab.launch.launcher import CellLauncher
from cnnlab.launch.patience import train_patiently
from cnnlab.run import Config, Run

LOOK = 0.5  # seconds between looks at what runs


class RayLauncher(CellLauncher):
    """One task for each cell, with its GPUs on one node; the folder of the study must be there on all nodes.

    The keys are explained in conf/hydra/launcher/ray.yaml.

    Raises:
        UserError: a key is not legal, Ray is not there, or no node has what a cell wants, for which Ray would wait.
    """

    def __init__(self, address: str | None, cpus_per_process: int, per_gpu: int, max_attempts: int) -> None:
        counts = {"cpus_per_process": cpus_per_process, "per_gpu": per_gpu, "max_attempts": max_attempts}
        for key, value in counts.items():
            require_count(f"hydra.launcher.{key}", value)
        self.address = address
        self.cpus_per_process = cpus_per_process
        self.per_gpu = per_gpu
        self.max_attempts = max_attempts

    def threads_of(self, trainer: Config) -> int:
        return self.cpus_per_process

    def require(self, config: Config) -> None:
        if (nodes := config["trainer"]["num_nodes"]) > 1:
            raise UserError(
                f"trainer.num_nodes={nodes}: hydra/launcher=ray trains a cell on one node; slurm on several"
            )

    def where(self) -> str:
        return ", on Ray"

    def train(self, cells: list[Work], console: Console) -> None:
        try:
            import ray
        except ImportError as error:
            raise UserError("hydra/launcher=ray needs Ray: pip install 'cnnlab[ray]'") from error
        require_answer(self.address)
        try:
            ray.init(address=self.address, log_to_driver=False, include_dashboard=False, logging_level=logging.ERROR)
        except (ConnectionError, RuntimeError, ValueError) as error:
            first, *_ = str(error).splitlines()
            raise UserError(f"hydra.launcher.address={self.address}: {first}") from error
        try:
            self._train_on(ray, cells, console)
        finally:
            ray.shutdown()

    def _train_on(self, ray: Any, cells: list[Work], console: Console) -> None:
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        wanted = {work.folder: self._wanted(work.config["trainer"], nodes) for work in cells}
        task = ray.remote(max_calls=1, max_retries=0)(train_patiently)  # a worker for each attempt, used once
        running = {
            task.options(name=work.folder.name, **wanted[work.folder]).remote(work, self.max_attempts, "spawn"): work
            for work in cells
        }
        begun, since = time.time(), dict[Path, float]()
        with Board(len(cells), console) as board:
            try:
                while running:
                    ended, _ = ray.wait(list(running), timeout=LOOK)
                    for reference in ended:
                        work = running.pop(reference)
                        Run(work.folder).close(_what_ray_says(ray, reference), 1, begun)
                        board.ended(work.folder)
                    for work in running.values():
                        if Run(work.folder).status.get("state") == "running":
                            since.setdefault(work.folder, time.monotonic())
                    left = {work.folder for work in running.values()}
                    board.look([(folder, moment) for folder, moment in since.items() if folder in left])
            finally:
                for reference in running:
                    ray.cancel(reference)  # as Ctrl-C
                _, stuck = ray.wait(list(running), num_returns=len(running), timeout=GRACE) if running else ([], [])
                for reference in stuck:
                    ray.cancel(reference, force=True)
                    Run(running[reference].folder).close("it was ended with the launcher", 1, begun)

    def _wanted(self, trainer: Config, nodes: list[dict[str, float]]) -> dict[str, float]:
        """What a cell needs of one node.

        Raises:
            UserError: no node has it.
        """
        devices = trainer["devices"]
        on_gpus = trainer["accelerator"] == "gpu" or (
            trainer["accelerator"] == "auto" and any(node.get("GPU") for node in nodes)
        )
        gpus = (devices if devices > 1 else 1 / self.per_gpu) if on_gpus else 0
        cpus = self.cpus_per_process * devices
        if not any(node.get("CPU", 0) >= cpus and node.get("GPU", 0) >= gpus for node in nodes):
            there = ", ".join(f"{node.get('CPU', 0):g} CPUs and {node.get('GPU', 0):g} GPUs" for node in nodes)
            raise UserError(
                f"trainer.devices={devices} with hydra.launcher.cpus_per_process={self.cpus_per_process}: a cell needs "
                f"{cpus} CPUs and {gpus:g} GPUs of one node, and no node of this Ray cluster has them; "
                f"there are {there}"
            )
        return {"num_cpus": cpus, "num_gpus": gpus}


def require_answer(address: str | None) -> None:
    """Raises a UserError if nobody listens at host:port, for which Ray would wait for minutes."""
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if not host:
        return
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, ValueError) as error:
        raise UserError(f"hydra.launcher.address={address}: {error}") from error


def _what_ray_says(ray: Any, reference: Any) -> str:
    """Why a task ended, if it did not by itself."""
    try:
        ray.get(reference)
    except ray.exceptions.RayError as error:
        return f"Ray: {(str(error).strip() or type(error).__name__).splitlines()[-1]}"
    return ""
