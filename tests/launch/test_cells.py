"""Cells in processes of their own: what becomes of one touches no other."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from _pytest.mark import ParameterSet
from omegaconf import OmegaConf

from cnnlab.bench.empty import nothing
from cnnlab.launch.child import Work, scrubbed
from cnnlab.launch.places import Places
from cnnlab.launch.pool import Pool
from cnnlab.launch.preload import first_of_each_choice
from conftest import TINY, compose_config, runs


def sweep(folder: Path, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "cnnlab", "train", "-m", "study=s", "hydra.launcher.rehearse=false", *TINY, *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def status(run: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((run / "status.json").read_text())
    return read


def by_seed(folder: Path) -> dict[int, dict[str, Any]]:
    return {int(run.name.split("-s")[-1].split("-")[0]): status(run) for run in runs(folder)}


def slow(*values: object) -> ParameterSet:
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    ("what", "words", "error"),
    [
        ("killed", [], "it was ended by SIGKILL"),
        slow("exits", [], "its process ended with exit code 3"),
        slow("raises", [], "RuntimeError: it went wrong"),
        slow("hangs", ["hydra.launcher.timeout=8"], "it took more than hydra.launcher.timeout=8 seconds"),
        slow("rank", ["trainer=ddp_cpu"], "rank 1: RuntimeError: only rank 1 went wrong"),
    ],
)
def test_one_cells_trouble_leaves_the_others_alone(trouble: Path, what: str, words: list[str], error: str) -> None:
    started = sweep(trouble, "model=trouble", f"+what={what}", "seed=0,1,2", *words)
    _, said = started.communicate(timeout=200)
    assert started.returncode == 1
    states = by_seed(trouble)
    assert {seed: states[seed]["state"] for seed in states} == {0: "done", 1: "failed", 2: "done"}
    assert error in states[1]["error"]
    assert error in said
    wait_until_empty(trouble)


@pytest.mark.slow
def test_too_little_gpu_memory_is_met_with_pieces_of_a_batch(trouble: Path) -> None:
    started = sweep(trouble, "model=trouble", "+what=memory", "seed=1")
    said, _ = started.communicate(timeout=200)
    assert started.returncode == 0
    assert "too little GPU memory; again with trainer.micro_batches=4" in said
    (run,) = runs(trouble)
    assert json.loads((run / "result.json").read_text())["micro_batches"] == 4
    assert "going on after" in (run / "train.log").read_text()
    assert status(run)["micro_batches"] == 4
    assert OmegaConf.load(run / ".hydra" / "config.yaml").trainer.micro_batches == 1  # what was asked for


@pytest.mark.slow
def test_a_cell_that_fails_is_tried_again(trouble: Path) -> None:
    started = sweep(trouble, "model=trouble", "+what=once", "seed=0,1", "hydra.launcher.max_attempts=2")
    started.communicate(timeout=200)
    assert started.returncode == 0
    assert {seed: state["attempt"] for seed, state in by_seed(trouble).items()} == {0: 1, 1: 2}


def left_over(folder: Path) -> list[psutil.Process]:
    """Processes that still work in the folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()) == folder and process.pid != os.getpid():
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def wait_until_empty(folder: Path) -> None:
    """No process works in the folder any more, after the few seconds that a server needs to notice."""
    deadline = time.monotonic() + 30
    while left := left_over(folder):
        assert time.monotonic() < deadline, left
        time.sleep(0.2)


@pytest.fixture
def running(here: Path) -> Iterator["subprocess.Popen[str]"]:
    """A sweep whose first cell is in training."""
    started = sweep(here, "seed=0,1", "trainer.max_epochs=5000")
    deadline = time.monotonic() + 120
    while not list(here.glob("runs/s/*/metrics.csv")):
        assert started.poll() is None, started.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.2)
    yield started
    started.kill()
    started.communicate()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_to_the_launcher_ends_its_cells_first(
    here: Path, running: "subprocess.Popen[str]", number: signal.Signals, code: int
) -> None:
    running.send_signal(number)
    assert running.wait(40) == code
    assert [status(run)["state"] for run in runs(here)] == ["interrupted"]
    wait_until_empty(here)


def test_cells_end_with_a_launcher_that_is_killed(here: Path, running: "subprocess.Popen[str]") -> None:
    running.kill()
    wait_until_empty(here)
    assert [status(run)["state"] for run in runs(here)] == ["interrupted"]


@pytest.mark.slow
def test_ranks_end_with_a_run_that_is_killed(here: Path) -> None:
    words = ["train", "trainer=ddp_cpu", "study=s", *TINY, "trainer.max_epochs=5000"]
    started = subprocess.Popen([sys.executable, "-m", "cnnlab", *words], cwd=here, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(here.glob("runs/s/*/metrics.csv")):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    started.kill()
    started.wait()
    wait_until_empty(here)


@pytest.mark.slow
def test_a_launcher_inside_a_rank_starts_clean_cells(command: Callable[..., int], here: Path, monkeypatch: Any) -> None:
    for name, value in {"WORLD_SIZE": "7", "MASTER_PORT": "1", "LOCAL_RANK": "3"}.items():
        monkeypatch.setenv(name, value)
    assert command("train", "-m", "seed=0", "study=s", *TINY) == 0
    assert [status(run)["state"] for run in runs(here)] == ["done"]


def test_what_is_imported_is_told_by_the_first_cell_of_each_choice() -> None:
    jobs = [[f"model={m}", f"augment={a}", f"seed={s}"] for m in "ab" for a in "xy" for s in (0, 1)]
    assert first_of_each_choice(jobs, ["model", "augment"]) == [0, 2, 4]
    assert first_of_each_choice([["seed=0"], ["seed=1"]], ["model"]) == [0]


def test_what_is_scrubbed() -> None:
    dirty = {"RANK": "1", "LOCAL_WORLD_SIZE": "2", "TORCHELASTIC_RUN_ID": "x", "PATH": "/bin", "HOME": "/"}
    assert scrubbed(dirty) == {"PATH": "/bin", "HOME": "/"}


@pytest.mark.slow
def test_what_a_cell_said_is_in_its_folder(command: Callable[..., int], here: Path) -> None:
    assert command("train", "-m", "seed=0", "study=s", *[word for word in TINY if "quiet" not in word]) == 0
    (run,) = runs(here)
    assert "epoch 2/2" in (run / "console.log").read_text()
    assert "61,706 parameters" in (run / "train.log").read_text()


@pytest.mark.slow
def test_what_a_user_can_mend_is_no_traceback_in_a_cells_console(trouble: Path) -> None:
    started = sweep(trouble, "model=trouble", "+what=mendable", "seed=1")
    _, said = started.communicate(timeout=120)
    (run,) = runs(trouble)
    console = (run / "console.log").read_text()
    assert console.splitlines()[-1] == "mend it"
    assert "Traceback" not in console + said
    assert started.returncode == 1
    assert (status(run)["state"], status(run)["exit_code"]) == ("failed", 1)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("hydra.launcher.jobs=none", "hydra.launcher.jobs=none: it must be auto or a whole number"),
        ("hydra.launcher.per_gpu=0", "hydra.launcher.per_gpu=0: it must be a whole number of at least 1"),
        ("hydra.launcher.timeout=-1", "hydra.launcher.timeout=-1: it must be null or a number of seconds"),
        ("hydra.launcher.max_attempts=0", "hydra.launcher.max_attempts=0: it must be a whole number"),
    ],
)
def test_a_wrong_value_is_named(
    word: str, said: str, command: Callable[..., int], capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    assert command("train", "-m", "seed=0", word, *TINY) == 1
    assert said in capsys.readouterr().err
    assert runs(here) == []


@pytest.mark.slow
def test_the_launchers_memory_stays_over_a_hundred_cells(tmp_path: Path) -> None:
    config = compose_config()
    pool = Pool(Places(2, [], 1), None, 1, [], task=nothing)
    held = []
    for n in range(4):
        cells = [Work(config, tmp_path / f"{n}-{m}", [], {}, 1, str(tmp_path)) for m in range(30)]
        assert sum(ended is not None for ended in pool.run(cells)) == 30
        held.append(psutil.Process().memory_info().rss)
        assert len(psutil.Process().children(recursive=True)) <= 2  # the server and its tracker
    assert held[-1] - held[0] < 2 * 2**20
