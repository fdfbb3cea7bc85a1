"""Several processes that are told to stop stop at the same step, and go on from there."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from cnnlab.launch.cell import train_cell
from conftest import TINY, compose_config, runs
from interruptions import assert_same, train_to

Process = Callable[..., Any]
LONG = [*TINY, "trainer.max_epochs=12", "trainer=ddp_cpu", "optim.lr=1e-4"]


def begin(here: Path, *words: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "cnnlab", "train", *words],
        cwd=here,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_for_an_epoch(here: Path) -> None:
    deadline = time.monotonic() + 120
    while not list(here.glob("runs/s/*/metrics.csv")):
        assert time.monotonic() < deadline, "no epoch was trained"
        time.sleep(0.05)


@pytest.mark.slow
def test_a_rank_that_is_told_to_stop_stops_all_of_them(process: Process, trouble: Path) -> None:
    words = ["model=trouble", "+what=told", "seed=1", *LONG]
    ended = process("train", *words, "study=s")
    assert ended.returncode == 143, ended.stderr
    (run,) = runs(trouble)
    status = json.loads((run / "status.json").read_text())
    assert (status["state"], status["exit_code"]) == ("interrupted", 143)
    assert process("train", *words, "study=s").returncode == 0
    assert "going on after epoch" in (run / "train.log").read_text()
    assert process("train", *words, "study=t").returncode == 0
    first, second = runs(trouble)
    assert_same(second, first)


@pytest.mark.slow
@pytest.mark.parametrize("to", ["process", "group"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_stops_the_ranks_at_one_step(
    process: Process, here: Path, number: signal.Signals, code: int, to: str
) -> None:
    words = [*LONG, "regularizer.dropout=0.3", "callbacks=[quiet,ema]", "datamodule.feed=workers"]
    words += ["datamodule.num_workers=1", "augment=affine"]
    started = begin(here, "study=s", *words)
    wait_for_an_epoch(here)
    (os.killpg if to == "group" else os.kill)(started.pid, number)
    assert started.wait(25) == code
    (run,) = runs(here)
    status = json.loads((run / "status.json").read_text())
    assert (status["state"], status["exit_code"]) == ("interrupted", code)
    assert process("train", *words, "study=s").returncode == 0
    assert "going on after epoch" in (run / "train.log").read_text()
    assert process("train", *words, "study=t").returncode == 0
    first, second = runs(here)
    assert_same(second, first)


@pytest.mark.slow
def test_with_another_number_of_processes_the_same_images_come_in_the_same_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed, interrupted = tmp_path / "undisturbed", tmp_path / "interrupted"
    config = compose_config(*TINY, "trainer.accelerator=cpu", "optim=sgd")
    train_cell(config, undisturbed, [])
    train_to(("train", 1, 3), config, interrupted, monkeypatch)
    config["trainer"]["devices"] = 2
    train_cell(config, interrupted, [])
    said = (interrupted / "train.log").read_text()
    assert "going on after epoch 1 and 4 batches" in said
    assert "with 2 processes where there were 1: the same images in the same order, but sums of floats" in said
    one, two = (torch.load(run / "checkpoints" / "last.ckpt", weights_only=True) for run in (undisturbed, interrupted))
    assert all(torch.allclose(value, two["state_dict"][name], atol=1e-5) for name, value in one["state_dict"].items())
    first, second = (
        list(csv.DictReader((run / "metrics.csv").read_text().splitlines())) for run in (undisturbed, interrupted)
    )
    assert [row["train/accuracy"] for row in first] == [row["train/accuracy"] for row in second]
