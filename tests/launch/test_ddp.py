"""Several processes compute what one does."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from test_cells import wait_until_empty
from torch import nn

from cnnlab import ddp
from cnnlab.build import learning_rate
from cnnlab.conf import devices_here
from cnnlab.errors import Diverged, OutOfGpuMemory, RankKilled, UserError, WorkerKilled
from cnnlab.launch import last_words
from cnnlab.models.parts.synced_norm import SyncedBatchNorm2d
from conftest import REPOSITORY, TINY, compose_config, runs

Command = Callable[..., int]
Process = Callable[..., Any]
Weights = dict[str, torch.Tensor]


@pytest.mark.slow
def test_evaluation_is_the_same_to_the_last_bit_at_any_world_size(command: Command, here: Path) -> None:
    words = ["trainer.devices=1,2,3", "trainer.accelerator=cpu", "optim.lr=1e-30", "study=s", *TINY]
    assert command("train", "-m", *words, "datamodule.batch_size=12", "trainer.max_epochs=1") == 0
    one, *others = runs(here)
    assert len(others) == 2
    for other in others:
        with np.load(one / "predictions.npz") as a, np.load(other / "predictions.npz") as b:
            assert sorted(a) == ["index", "label", "probabilities"]
            assert all(np.array_equal(a[name], b[name]) for name in a)
        metrics, more = (json.loads((run / "result.json").read_text())["metrics"] for run in (one, other))
        judged = [name for name in metrics if name.startswith(("val/", "test/"))]
        assert len(judged) >= 8
        assert {name: metrics[name] for name in judged} == {name: more[name] for name in judged}


def after_one_step(command: Command, here: Path, *words: str, study: str = "s") -> list[Weights]:
    """Of each cell, those with fewer processes and pieces first; gradients are compared by what they do."""
    one_step = ["trainer.limit_train_batches=1", "optim=sgd", "optim.lr=0.1"]
    assert command("train", "-m", *TINY, *one_step, "trainer.max_epochs=1", f"study={study}", *words) == 0
    found = {}
    for run in (path for path in runs(here) if path.parent.name == study):
        trainer = OmegaConf.load(run / ".hydra" / "config.yaml").trainer
        saved = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
        found[trainer.devices, trainer.micro_batches] = saved["state_dict"]
    return [found[key] for key in sorted(found)]


def furthest(one: Weights, other: Weights) -> float:
    """The largest difference of any two weights."""
    return max(float((one[name] - other[name]).abs().max()) for name in one)


def test_two_processes_make_the_step_of_one(command: Command, here: Path) -> None:
    one, two = after_one_step(command, here, "trainer.devices=1,2", "trainer.accelerator=cpu")
    assert furthest(one, two) < 1e-6


# in double precision, since so deep a network makes much of the last digits
NORMED = ["model=resnet20", "model.width=0.25", "trainer.accelerator=cpu", "trainer.precision=64-true"]


@pytest.mark.slow
def test_with_synced_norms_two_processes_make_the_step_of_one(command: Command, here: Path) -> None:
    one, two = after_one_step(command, here, "trainer.devices=1,2", "trainer.sync_batchnorm=true", *NORMED)
    assert any(name.endswith("running_var") for name in one)
    assert furthest(one, two) < 1e-10


@pytest.mark.slow
def test_without_synced_norms_they_do_not(command: Command, here: Path) -> None:
    one, two = after_one_step(command, here, "trainer.devices=1,2", *NORMED)
    assert furthest(one, two) > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_pieces_of_a_batch_make_the_same_step(command: Command, here: Path, processes: int) -> None:
    words = [f"trainer.devices={processes}", "trainer.accelerator=cpu"]
    whole, again = (
        after_one_step(command, here, f"trainer.micro_batches={pieces}", *words, study=f"in{pieces}")[0]
        for pieces in (1, 4)
    )
    assert furthest(whole, again) < 1e-6


@pytest.mark.slow
def test_a_run_whose_rank_died_goes_on_from_its_last_epoch(process: Process, trouble: Path) -> None:
    words = ["model=trouble", "+what=dies", "seed=1", "trainer=ddp_cpu", *TINY]
    done = process("train", *words, "study=s", "trainer.max_restarts=1")
    assert done.returncode == 0, done.stderr
    assert "rank 1: it ended without a word" in done.stderr + done.stdout
    assert "going on after epoch 1" in (runs(trouble)[0] / "train.log").read_text()
    undisturbed = process("train", *words, "study=t")
    assert undisturbed.returncode == 0, undisturbed.stderr
    first, second = runs(trouble)
    for name in ("metrics.csv", "predictions.npz"):
        assert (first / name).read_bytes() == (second / name).read_bytes()


@pytest.mark.slow
def test_without_restarts_a_rank_that_dies_ends_the_run_with_its_own_error(process: Process, trouble: Path) -> None:
    ended = process("train", "model=trouble", "+what=dies", "seed=1", "trainer=ddp_cpu", *TINY)
    assert ended.returncode == 1
    (run,) = runs(trouble)
    status = json.loads((run / "status.json").read_text())
    assert status["state"] == "failed"
    assert "rank 1: it ended without a word" in status["error"]
    assert status["seconds"] < 40


def test_norms_change_and_change_back() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    changed = ddp.changed(net, nn.BatchNorm2d, SyncedBatchNorm2d)
    assert type(net[1]) is SyncedBatchNorm2d
    assert type(ddp.SyncedNorms().revert(changed)[1]) is nn.BatchNorm2d  # type: ignore[index]
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())


def test_another_number_of_processes_than_configured_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"TORCHELASTIC_RUN_ID": "x", "WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match=r"2 processes were started, but trainer.devices=1 x trainer.num_nodes=1 are 1"):
        ddp.strategy(compose_config()["trainer"], nn.Linear(1, 1))


@pytest.mark.parametrize(
    ("gpus", "accelerator", "batch_size", "alone", "devices"),
    [
        (8, "auto", 128, True, 8),
        (8, "gpu", 128, True, 8),
        (8, "cpu", 128, True, 1),
        (8, "auto", 128, False, 1),
        (6, "auto", 32, True, 4),
        (0, "auto", 32, True, 1),
        (3, "auto", 1, True, 1),
    ],
)
def test_the_default_trainer_takes_the_gpus_that_are_there(
    gpus: int, accelerator: str, batch_size: int, alone: bool, devices: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "CUDA_VISIBLE_DEVICES", ",".join(map(str, range(gpus))))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    assert devices_here(accelerator, batch_size, alone) == devices


def test_the_lr_scales_with_the_images_of_a_step() -> None:
    words = ["optim.lr=0.1", "datamodule.batch_size=1024", "trainer.accumulate_grad_batches=2"]
    assert learning_rate(compose_config(*words)) == 0.1
    assert learning_rate(compose_config(*words, "trainer.scale_lr=linear")) == pytest.approx(0.8)
    by_128 = [*words, "trainer.scale_lr=linear", "trainer.lr_batch_size=128"]
    assert learning_rate(compose_config(*by_128)) == pytest.approx(1.6)


def test_pieces_must_be_equal(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("train", "datamodule.batch_size=12", "trainer.devices=2", "trainer.micro_batches=4") == 1
    assert "trainer.micro_batches=4: the 6 images of a process cannot be cut" in capsys.readouterr().err


@pytest.mark.slow
def test_processes_that_were_told_different_things_do_not_begin(here: Path) -> None:
    with socket.create_server(("", 0)) as free:
        port = str(free.getsockname()[1])
    started = []
    for rank in ("0", "1"):
        environment = {**os.environ, "NODES": "2", "NODE_RANK": rank, "PORT": port, "PATH": path()}
        words = ["study=s", f"seed={rank}", "trainer.accelerator=cpu", *TINY]
        command = [str(REPOSITORY / "scripts" / "torchrun.sh"), *words]
        pipe = subprocess.PIPE
        started.append(subprocess.Popen(command, cwd=here, env=environment, stdout=pipe, stderr=pipe, text=True))
    ended = [process.communicate(timeout=200) for process in started]
    assert all(process.returncode for process in started)
    assert any("the processes of this run differ in their configuration" in stderr for _, stderr in ended)


@pytest.mark.slow
def test_torchrun_on_two_nodes_trains_as_one_process(here: Path, process: Process) -> None:
    with socket.create_server(("", 0)) as free:
        port = str(free.getsockname()[1])
    words = ["study=s", "trainer.accelerator=cpu", *TINY]
    script = str(REPOSITORY / "scripts" / "torchrun.sh")
    started = [
        subprocess.Popen(
            [script, *words], env={**os.environ, "NODES": "2", "NODE_RANK": rank, "PORT": port, "PATH": path()}
        )
        for rank in ("0", "1")
    ]
    assert [process.wait(200) for process in started] == [0, 0]
    assert process("train", "study=t", *TINY).returncode == 0
    two, one = runs(here)
    saved = [torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"] for run in (two, one)]
    assert furthest(*saved) < 1e-4


def path() -> str:
    """Where the programs of this Python are found first."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def test_who_failed_first_is_told_from_those_who_followed(tmp_path: Path) -> None:
    last_words.leave(tmp_path, 0, RuntimeError("[gloo] Connection closed by peer"))
    last_words.leave(tmp_path, 2, KeyError("later"))
    last_words.leave(tmp_path, 1, ValueError("even later"))
    assert str(last_words.said_by(tmp_path, 3, {0: 1})) == "rank 2: KeyError: 'later'"


def test_who_said_nothing_was_killed(tmp_path: Path) -> None:
    last_words.leave(tmp_path, 0, RuntimeError("[gloo] Connection closed by peer"))
    last_words.leave(tmp_path, 1, RuntimeError("[gloo] Connection reset by peer"))
    told = last_words.said_by(tmp_path, 3, {0: 1})
    assert isinstance(told, RankKilled)
    assert "rank 2: it ended without a word" in str(told)


@pytest.mark.parametrize("kind", [UserError, OutOfGpuMemory, WorkerKilled, Diverged])
def test_what_a_rank_says_keeps_its_kind(kind: type[Exception], tmp_path: Path) -> None:
    last_words.leave(tmp_path, 1, kind("so it is"))
    told = last_words.said_by(tmp_path, 2, {1: 1})
    assert type(told) is kind
    assert str(told) == "so it is"


@pytest.mark.slow
def test_a_rank_that_fails_in_training_is_blamed_each_time(process: Process, trouble: Path) -> None:
    words = ["model=trouble", "+what=breaks", "seed=1", "trainer.devices=2", "trainer.accelerator=cpu", *TINY]
    lrs = "optim.lr=" + ",".join(f"{n}e-3" for n in range(1, 9))
    ended = process("train", "-m", *words, lrs, "study=s", "hydra.launcher.rehearse=false")
    assert ended.returncode == 1
    errors = [json.loads((run / "status.json").read_text())["error"] for run in runs(trouble)]
    assert errors == ["RankFailed: rank 1: ValueError: it broke"] * 8


@pytest.mark.slow
def test_a_rank_that_fails_before_the_processes_meet_ends_the_run_soon(process: Process, trouble: Path) -> None:
    words = ["model=trouble", "+what=rank", "seed=1", "trainer=ddp_cpu", "study=s", "hydra.launcher.rehearse=false"]
    ended = process("train", "-m", *words, *TINY)
    assert ended.returncode == 1
    assert json.loads((runs(trouble)[0] / "status.json").read_text())["seconds"] < 12


@pytest.mark.slow
@pytest.mark.parametrize("what", ["breaks", "dies"])
def test_a_run_that_failed_leaves_nothing_behind(
    process: Process, trouble: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tempfile.mkdtemp()  # a short path, since sockets lie there
    monkeypatch.setenv("TMPDIR", folder)
    shared = set(Path("/dev/shm").iterdir())
    words = ["model=trouble", f"+what={what}", "seed=1", "trainer=ddp_cpu", "study=s", *TINY]
    ended = process("train", *words, "datamodule.feed=workers", "datamodule.num_workers=1")
    assert ended.returncode == 1
    assert any(line.startswith("cnnlab: rank 1: ") for line in ended.stderr.splitlines())
    # Python's own, empty, of data workers that were killed
    assert all(path.name.startswith("pymp-") for path in Path(folder).iterdir())
    shutil.rmtree(folder)
    wait_until_empty(trouble)  # without processes there are no open ports either
    deadline = time.monotonic() + 30
    while set(Path("/dev/shm").iterdir()) - shared:  # others' come and go
        assert time.monotonic() < deadline
        time.sleep(0.1)
