"""The machines of one run, and which of them this is."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from cnnlab.errors import UserError


@dataclass(frozen=True)
class Nodes:
    """So many machines, of which this is number `index`; the first one's address and port are where all meet."""

    count: int = 1
    index: int = 0
    meeting: str = "localhost:0"  # port 0: any that is free
    name: str = "alone"


def nodes_of(count: int, environment: Mapping[str, str]) -> Nodes:
    """trainer.num_nodes machines: one is this, several are a SLURM step with one task on each.

    Raises:
        UserError: several are asked for outside of SLURM, or the step has not one task on each of them.
    """
    tasks = int(environment.get("SLURM_STEP_NUM_TASKS", "1"))
    if count == 1 and tasks == 1:
        return Nodes()
    if count == 1 or "SLURM_STEP_NODELIST" not in environment:
        raise UserError(
            f"trainer.num_nodes={count}: "
            + (
                f"srun started {tasks} tasks. One task a node is needed (--ntasks-per-node=1); it starts one process "
                "for each of trainer.devices"
                if tasks > 1
                else "start one process group per node with torchrun or srun, as scripts/torchrun.sh and "
                "scripts/train.sbatch do"
            )
        )
    nodes = int(environment["SLURM_STEP_NUM_NODES"])
    if (tasks, nodes) != (count, count):
        raise UserError(
            f"trainer.num_nodes={count}: srun started {tasks} tasks on {nodes} nodes. One task a node is needed: "
            f"srun --nodes={count} --ntasks-per-node=1"
        )
    job = environment["SLURM_JOB_ID"]
    return Nodes(
        count,
        int(environment["SLURM_PROCID"]),
        f"{first_host(environment['SLURM_STEP_NODELIST'])}:{port_of(job)}",
        f"slurm-{job}-{environment['SLURM_STEP_ID']}-{environment.get('SLURM_RESTART_COUNT', '0')}",
    )


def first_host(nodelist: str) -> str:
    """Of SLURM's short form: 'node[3-5,7]' -> 'node3'."""
    shown = subprocess.run(["scontrol", "show", "hostnames", nodelist], capture_output=True, text=True, check=True)
    return shown.stdout.split()[0]


def port_of(job: str) -> int:
    """The same on all nodes without asking, and seldom another job's."""
    return 20_000 + int(job) % 20_000
