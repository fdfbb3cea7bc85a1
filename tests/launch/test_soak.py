"""What runs long takes no more memory and no more open files at its end than near its beginning."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import psutil
import pytest

from conftest import TINY

MIB = 2**20
CELLS, EPOCHS = 200, 20


def watched(here: Path, words: list[str], turn: Callable[[], int]) -> dict[int, list[tuple[float, int]]]:
    """MiB and open files of a command and of the server that it forks cells from, by turns (cells or epochs)."""
    command = subprocess.Popen(
        [sys.executable, "-m", "cnnlab", "train", *words, "study=s"],
        cwd=here,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
    )
    seen: dict[int, list[tuple[float, int]]] = {}
    while command.poll() is None:
        try:
            launcher = psutil.Process(command.pid)
            processes = [launcher, *launcher.children()]
            memory = sum(one.memory_full_info().uss for one in processes) / MIB
            seen.setdefault(turn(), []).append((memory, sum(one.num_fds() for one in processes)))
        except psutil.NoSuchProcess:
            continue
        time.sleep(0.05)
    assert command.returncode == 0
    return seen


def require_flat(seen: dict[int, list[tuple[float, int]]], turns: int, mib: float) -> None:
    """The last quarter of the turns against the second."""
    early, late = (
        [one for turn, each in seen.items() if start < turn / turns <= start + 0.25 for one in each]
        for start in (0.25, 0.75)
    )
    memory = [median(one[0] for one in part) for part in (early, late)]
    files = [median(one[1] for one in part) for part in (early, late)]
    told = f"memory {memory[0]:.1f} -> {memory[1]:.1f} MiB, open files {files[0]} -> {files[1]}"
    print(told)
    assert memory[1] - memory[0] < mib, told
    assert files[1] - files[0] <= 1, told


@pytest.mark.slow
def test_a_launcher_of_200_cells(here: Path) -> None:
    words = ["-m", f"seed=range({CELLS})", *TINY, "trainer.max_epochs=1", "trainer.limit_train_batches=1"]
    words += ["trainer=cpu", "hydra.launcher.jobs=2", "test=false"]
    require_flat(watched(here, words, lambda: len(list(here.glob("runs/s/*/result.json")))), CELLS, mib=10)


@pytest.mark.slow
def test_a_run_of_20_epochs(here: Path) -> None:
    def epochs() -> int:
        return max((len(file.read_text().splitlines()) - 1 for file in here.glob("runs/s/*/metrics.csv")), default=0)

    words = [*TINY[1:2], f"trainer.max_epochs={EPOCHS}", "callbacks=quiet", "trainer.accelerator=cpu"]
    require_flat(watched(here, words, epochs), EPOCHS, mib=10)
