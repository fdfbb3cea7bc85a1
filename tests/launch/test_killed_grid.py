"""A grid that is killed again and again comes to the same end as one that is left alone."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from conftest import TINY, runs

SWEEP = [
    "model.activation=relu,tanh",
    "regularizer=none,all",
    "optim=sgd,adam",
    "seed=range(3)",
    *TINY,
    "trainer.max_epochs=8",
]
SWEEP += ["hydra.launcher.jobs=2"]


def begin(here: Path, study: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "cnnlab", "train", "-m", f"study={study}", *SWEEP],
        cwd=here,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def kill_all(process: "subprocess.Popen[bytes]") -> None:
    """The launcher and whatever it has begun, at once, with no chance to say anything."""
    launcher = psutil.Process(process.pid)
    for one in [launcher, *launcher.children(recursive=True)]:
        one.kill()
    process.wait()


def done(here: Path, study: str) -> dict[str, float]:
    """Cells that are done, and when they were."""
    return {file.parent.name: file.stat().st_mtime_ns for file in (here / "runs" / study).glob("*/result.json")}


@pytest.mark.slow
def test_it_ends_as_an_undisturbed_one(here: Path) -> None:
    draw = random.Random(0)
    before: dict[str, float] = {}
    half_done: set[str] = set()
    for _ in range(3):
        process = begin(here, "killed")
        enough = len(before) + draw.randint(2, 6)
        deadline = time.monotonic() + 300
        while len(done(here, "killed")) < enough and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(draw.random())  # somewhere in the cells after
        kill_all(process)
        now = done(here, "killed")
        assert before.items() <= now.items()
        assert len(now) < 24
        before = now
        begun = {folder.name for folder in runs(here) if (folder / "checkpoints" / "last.ckpt").exists()}
        half_done |= begun - set(now)
    assert half_done
    assert begin(here, "killed").wait() == 0
    assert begin(here, "alone").wait() == 0

    after = done(here, "killed")
    assert len(after) == 24
    assert before.items() <= after.items()  # what was done was not touched
    for name in after:
        killed, alone = here / "runs" / "killed" / name, here / "runs" / "alone" / name
        one, other = (json.loads((folder / "result.json").read_text()) for folder in (killed, alone))
        assert one["metrics"] == other["metrics"]
        assert one["per_class"] == other["per_class"]
        assert (killed / "metrics.csv").read_bytes() == (alone / "metrics.csv").read_bytes()
        with np.load(killed / "predictions.npz") as ours, np.load(alone / "predictions.npz") as theirs:
            assert all(np.array_equal(ours[key], theirs[key]) for key in theirs.files)
        ours, theirs = (
            torch.load(folder / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]
            for folder in (killed, alone)
        )
        assert all(torch.equal(ours[key], theirs[key]) for key in theirs)
