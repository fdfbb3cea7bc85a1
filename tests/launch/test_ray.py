"""Cells as tasks of a real Ray."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import TINY, runs

pytest.importorskip("ray", reason="needs the extra cnnlab[ray]")
Process = Callable[..., "subprocess.CompletedProcess[str]"]
RAY = ["hydra/launcher=ray", "study=s", *TINY]


@pytest.mark.slow
def test_what_no_node_has_is_an_error(process: Process, here: Path) -> None:
    ended = process("train", "-m", *RAY, "trainer.devices=1,1000", "datamodule.batch_size=1000")
    assert ended.returncode == 1
    assert "a cell needs 1000 CPUs and 0 GPUs of one node, and no node of this Ray cluster has them" in ended.stderr
    assert runs(here) == []


@pytest.mark.slow
def test_cells_train_and_one_that_is_killed_touches_no_other(process: Process, trouble: Path) -> None:
    ended = process("train", "-m", *RAY, "model=trouble", "+what=killed", "seed=0,1", "trainer.accelerator=cpu")
    assert ended.returncode == 1
    told = {json.loads((run / "status.json").read_text())["state"] for run in runs(trouble)}
    assert told == {"done", "failed"}
    assert "rank 0: it ended without a word" in ended.stderr


@pytest.mark.slow
def test_two_ranks_in_a_task(process: Process, here: Path) -> None:
    done = process("train", "-m", *RAY, "trainer.devices=2", "trainer.accelerator=cpu")
    assert done.returncode == 0, done.stderr
    assert "2 x CPU" in (runs(here)[0] / "train.log").read_text()


def test_nobody_at_the_address_is_told_soon(process: Process) -> None:
    ended = process("train", "-m", *RAY, "hydra.launcher.address=localhost:1")
    assert ended.returncode == 1
    assert "hydra.launcher.address=localhost:1: [Errno 111] Connection refused" in ended.stderr
