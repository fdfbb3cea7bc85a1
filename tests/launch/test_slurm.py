"""Cells as jobs of a real SLURM: two nodes, both of them this machine."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from omegaconf import OmegaConf

from cnnlab.conf import conf_folder
from cnnlab.errors import UserError
from cnnlab.launch import nodes, slurm
from cnnlab.launch.nodes import Nodes, nodes_of
from conftest import REPOSITORY, TINY, runs

Process = Callable[..., "subprocess.CompletedProcess[str]"]
SLURM = ["hydra/launcher=slurm", "hydra.launcher.cpus_per_process=1", "hydra.launcher.look_seconds=0.5"]
SLURM += ["hydra.launcher.late_seconds=2", "trainer=cpu"]
CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}
SlurmctldPort={port}
SlurmUser=root
AuthType=auth/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/controller.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/controller.log
SlurmdLogFile={folder}/%n.log
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=none
KillWait=5
NodeName=n1 NodeHostname={host} Port={first} CPUs=2 RealMemory=1000 State=UNKNOWN
NodeName=n2 NodeHostname={host} Port={second} CPUs=2 RealMemory=1000 State=UNKNOWN
PartitionName=main Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
"""


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def start_munge() -> None:
    """SLURM's authentication, one for the machine, which stays; several test processes may want it at once."""
    with FileLock(Path(tempfile.gettempdir(), "cnnlab-munge.lock")):
        if subprocess.run(["pgrep", "munged"], capture_output=True).returncode:
            Path("/run/munge").mkdir(parents=True, exist_ok=True)
            shutil.chown("/run/munge", "munge", "munge")
            subprocess.run(["su", "-s", "/bin/bash", "munge", "-c", "/usr/sbin/munged --force"], check=True)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The configuration of a cluster that runs; skips where there cannot be one."""
    if os.geteuid() or not all(shutil.which(name) for name in ("slurmctld", "slurmd", "munged")):
        pytest.skip("needs root and Debian's packages slurm-wlm and munge")
    folder = tmp_path_factory.mktemp("slurm")
    (folder / "state").mkdir()
    controller, first, second = free_ports(3)
    configuration = folder / "slurm.conf"
    keys = {"host": socket.gethostname().split(".")[0], "folder": folder, "port": controller}
    configuration.write_text(CONFIGURATION.format(**keys, first=first, second=second))
    environment = {**os.environ, "SLURM_CONF": str(configuration)}
    try:
        start_munge()
        for command in (["slurmctld"], ["slurmd", "-N", "n1"], ["slurmd", "-N", "n2"]):
            subprocess.run(command, env=environment, check=True, capture_output=True)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"SLURM does not start here: {error} {error.stderr}")
    try:
        for _ in range(60):
            told = subprocess.run(["sinfo", "-h", "-N", "-o", "%T"], env=environment, capture_output=True, text=True)
            if told.stdout.split() == ["idle", "idle"]:
                break
            time.sleep(0.5)
        else:
            pytest.skip(f"SLURM does not come up here: {told.stdout}{told.stderr}")
        yield configuration
    finally:
        for file in folder.glob("*.pid"):
            os.kill(int(file.read_text()), signal.SIGTERM)


@pytest.fixture
def here_on_slurm(here: Path, cluster: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder `here`, from which commands reach the cluster."""
    monkeypatch.setenv("SLURM_CONF", str(cluster))
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    return here


def scontrol(*words: str) -> None:
    subprocess.run(["scontrol", *words], check=True, capture_output=True)


def states(here: Path) -> list[str]:
    return [json.loads((run / "status.json").read_text())["state"] for run in runs(here)]


@pytest.mark.slow
def test_cells_on_one_node_and_on_two(process: Process, here_on_slurm: Path) -> None:
    words = ["trainer.num_nodes=1,2", "study=s", *TINY]
    done = process("train", "-m", *SLURM, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert states(here_on_slurm) == ["done", "done"]
    on_two = {"2 x CPU" in (run / "train.log").read_text() for run in runs(here_on_slurm)}
    assert on_two == {True, False}
    one, two = ((run / "metrics.csv").read_text().splitlines() for run in runs(here_on_slurm))
    assert len(one) == len(two) == 3


@pytest.mark.usefixtures("here_on_slurm")
def test_what_no_node_has_is_an_error(process: Process) -> None:
    ended = process("train", "-m", *SLURM, "hydra.launcher.cpus_per_process=100", "study=s", *TINY)
    assert ended.returncode == 1
    assert "SLURM has nowhere to run it" in ended.stderr
    assert subprocess.run(["squeue", "-h"], capture_output=True, text=True).stdout == ""


@pytest.mark.slow
def test_what_slurm_refuses_is_told(process: Process, here_on_slurm: Path) -> None:
    ended = process("train", "-m", *SLURM, "hydra.launcher.sbatch.partition=none", "study=s", *TINY)
    assert ended.returncode == 1
    assert "SLURM does not take the job" in ended.stderr
    assert "Invalid partition name" in ended.stderr
    assert runs(here_on_slurm) == []


def test_slurm_is_not_asked_for_what_cannot_be_known(command: Callable[..., int], capsys: Any) -> None:
    assert command("train", "-m", "hydra/launcher=slurm", "study=s", *TINY) == 1
    assert "trainer.accelerator=auto: what is on the nodes cannot be seen from here" in capsys.readouterr().err


def begun(here: Path) -> Path:
    """The run, once it has a few epochs."""
    deadline = time.monotonic() + 120
    while not any(len(file.read_text().splitlines()) > 3 for file in here.glob("runs/*/*/metrics.csv")):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return runs(here)[0]


@pytest.mark.slow
@pytest.mark.parametrize("more", [[], ["trainer.num_nodes=2"]])
def test_a_requeued_cell_goes_on_and_the_same_command_waits_for_it(
    process: Process, here_on_slurm: Path, more: list[str]
) -> None:
    words = ["-m", *SLURM, "study=s", *TINY, "trainer.max_epochs=100", *more]
    assert process("train", *words, "hydra.launcher.wait=false").returncode == 0
    run = begun(here_on_slurm)
    job = json.loads((run / "slurm.json").read_text())["job"]
    scontrol("requeue", job)
    while "PENDING" not in subprocess.run(["squeue", "-h", "-o", "%T"], capture_output=True, text=True).stdout:
        time.sleep(0.2)
    scontrol("update", f"JobId={job}", "StartTime=now")  # SLURM would wait for two minutes
    done = process("train", *words)
    assert done.returncode == 0, done.stderr
    assert "1 of them are in SLURM's queue already" in done.stdout
    assert "going on after epoch" in (run / "train.log").read_text()
    assert len((run / "metrics.csv").read_text().splitlines()) == 101


@pytest.mark.slow
def test_a_cell_goes_back_into_the_queue_before_its_time_limit(process: Process, here_on_slurm: Path) -> None:
    words = ["-m", *SLURM, "study=s", *TINY, "trainer.max_epochs=100"]
    assert process("train", *words, "hydra.launcher.wait=false").returncode == 0
    run = begun(here_on_slurm)
    job = json.loads((run / "slurm.json").read_text())["job"]
    subprocess.run(["scancel", "--signal=USR2", job], check=True)  # as SLURM does before the limit
    while "PENDING" not in subprocess.run(["squeue", "-h", "-o", "%T"], capture_output=True, text=True).stdout:
        time.sleep(0.2)
    assert states(here_on_slurm) != ["done"]
    scontrol("update", f"JobId={job}", "StartTime=now")  # SLURM would wait for two minutes
    done = process("train", *words)
    assert done.returncode == 0, done.stderr
    assert "going on after epoch" in (run / "train.log").read_text()
    assert len((run / "metrics.csv").read_text().splitlines()) == 101


@pytest.mark.slow
def test_a_cancelled_cell_is_no_success(process: Process, here_on_slurm: Path) -> None:
    words = ["-m", *SLURM, "study=s", *TINY, "trainer.max_epochs=3000"]
    process("train", *words, "hydra.launcher.wait=false")
    run = begun(here_on_slurm)
    job = json.loads((run / "slurm.json").read_text())["job"]
    subprocess.run(["scancel", job], check=True)
    while subprocess.run(["squeue", "-h"], capture_output=True, text=True).stdout:
        time.sleep(0.2)
    assert states(here_on_slurm) == ["interrupted"]


@pytest.mark.slow
@pytest.mark.usefixtures("here_on_slurm")
def test_a_rank_on_the_other_node_is_told_by_its_own_error(process: Process, trouble: Path) -> None:
    words = ["model=trouble", "+what=breaks", "seed=1", "trainer.num_nodes=2", "study=s", *TINY]
    ended = process("train", "-m", *SLURM, *words)
    assert ended.returncode == 1
    (run,) = runs(trouble)
    assert json.loads((run / "status.json").read_text())["error"] == "RankFailed: rank 1: ValueError: it broke"


@pytest.mark.slow
def test_srun_starts_a_run_on_two_nodes(here_on_slurm: Path) -> None:
    srun = ["srun", "--nodes=2", "--ntasks-per-node=1", "cnnlab", "train", "trainer.num_nodes=2"]
    ran = subprocess.run([*srun, "trainer.accelerator=cpu", "study=s", *TINY], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "2 x CPU" in (runs(here_on_slurm)[0] / "train.log").read_text()


@pytest.mark.slow
@pytest.mark.parametrize(("script", "seeds"), [("train", "seed=0"), ("sweep", "seed=0,1")])
def test_the_scripts_go_on_after_the_time_limit(here_on_slurm: Path, script: str, seeds: str) -> None:
    nodes = "2" if script == "train" else "1"
    command = ["sbatch", "--parsable", f"--nodes={nodes}", "--cpus-per-task=1", "--gpus-per-node=0"]
    words = [seeds, "study=s", "trainer.accelerator=cpu", *TINY, "trainer.max_epochs=60"]
    submitted = [*command, str(REPOSITORY / "scripts" / f"{script}.sbatch"), *words]
    job = subprocess.run(submitted, check=True, capture_output=True, text=True).stdout.strip()
    begun(here_on_slurm)
    subprocess.run(["scancel", "--batch", "--signal=USR1", job], check=True)  # as SLURM does before the limit
    for _ in range(600):
        queue = subprocess.run(["squeue", "-h", "-o", "%T"], capture_output=True, text=True).stdout
        if "PENDING" in queue:
            scontrol("update", f"JobId={job}", "StartTime=now")  # SLURM would wait for two minutes
        if not queue:
            break
        time.sleep(0.5)
    said = [file.read_text() for file in here_on_slurm.glob("*.out")]
    assert states(here_on_slurm) == ["done"] * len(seeds.split(",")), said
    assert any("going on after epoch" in (run / "train.log").read_text() for run in runs(here_on_slurm))


STEP = {
    "SLURM_JOB_ID": "123",
    "SLURM_STEP_ID": "0",
    "SLURM_PROCID": "1",
    "SLURM_STEP_NUM_TASKS": "2",
    "SLURM_STEP_NUM_NODES": "2",
    "SLURM_STEP_NODELIST": "n[1-2]",
}


def test_a_step_with_a_task_on_each_node_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "scontrol", lambda *words: "n1 n2" if "hostnames" in words else "NodeAddr=10.0.0.1 X=1")
    assert nodes_of(2, STEP) == Nodes(2, 1, "10.0.0.1:20123", "slurm-123-0-0")


@pytest.mark.parametrize(
    ("count", "environment", "said"),
    [
        (2, {}, "trainer.num_nodes=2: start one process group per node"),
        (1, STEP, "trainer.num_nodes=1: srun started 2 tasks. One task a node"),
        (3, STEP, "trainer.num_nodes=3: srun started 2 tasks on 2 nodes"),
        (2, {**STEP, "SLURM_STEP_NUM_TASKS": "16"}, "srun started 16 tasks on 2 nodes"),
    ],
)
def test_a_step_of_another_shape_is_an_error(count: int, environment: Mapping[str, str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        nodes_of(count, environment)


def test_without_slurm_the_launcher_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match="SLURM does not answer here"):
        slurm.queued(["1"])


@pytest.mark.usefixtures("here_on_slurm")
def test_the_options_are_those_of_sbatch() -> None:
    options = OmegaConf.load(conf_folder() / "hydra" / "launcher" / "slurm.yaml").sbatch
    known = subprocess.run(["sbatch", "--help"], capture_output=True, text=True).stdout
    assert all(f"--{name}=" in known for name in options)
