"""What the tests share: composed configurations, tiny runs, and the command line."""

import copy
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

from cnnlab import cli
from cnnlab.conf import composed, conf_folder, register

Config = dict[str, Any]
REPOSITORY = Path(__file__).parents[1]
# A run that takes about a second: 130 images, two epochs.
TINY = ["datamodule.fraction=0.1", "datamodule.batch_size=16", "trainer.max_epochs=2", "callbacks=quiet"]


def pytest_configure() -> None:
    """Before collection: tests are parametrized by what composes."""
    register()
    os.environ["CNNLAB_CACHE"] = tempfile.mkdtemp(prefix="cnnlab-cache-")
    torch.set_num_threads(1)  # several test processes share the machine
    os.environ["OMP_NUM_THREADS"] = "1"  # the same for processes that tests start


def pytest_unconfigure() -> None:
    """What the tests remember of files is of no use to anyone."""
    shutil.rmtree(os.environ["CNNLAB_CACHE"], ignore_errors=True)


def compose_config(*overrides: str) -> Config:
    """The configuration that these overrides of `cnnlab train` give, as plain values."""
    return copy.deepcopy(_composed(overrides))


@cache
def _composed(overrides: tuple[str, ...]) -> Config:
    return composed(*overrides)


def stems(group: str) -> list[str]:
    """What a user can type for a group."""
    return sorted(path.stem for path in (conf_folder() / group).glob("[!_]*.yaml"))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder, from which commands run in this process; signals are as they were afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield tmp_path
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def command(here: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Runs a command line in this process, in the folder `here`, and gives its exit code."""

    def run(*arguments: str) -> int:
        assert Path.cwd() == here
        monkeypatch.setattr(sys, "argv", ["cnnlab", *arguments])
        try:
            cli.main()
        except SystemExit as stop:
            return int(stop.code or 0)
        return 0

    return run


@pytest.fixture
def trouble(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder `here`, where model=trouble can be chosen."""
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY / "tests" / "launch"), prepend=os.pathsep)
    monkeypatch.setenv("CNNLAB_ALLOWED_PACKAGES", "trouble")
    (here / "conf" / "model").mkdir(parents=True)
    (here / "conf" / "model" / "trouble.yaml").write_text(
        "# @package _global_\n"
        "defaults: [_base]\n"
        'model: {name: trouble, _target_: trouble.trouble, what: "${what}:${seed}"}\n'
    )
    return here


@pytest.fixture
def process(here: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs a command line in a process of its own, in the folder `here`."""

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "cnnlab", *arguments],
            cwd=here,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run


def train_until(epoch: int, config: Config, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trains a cell, which is ended by SIGTERM's exit code before the fourth batch of that epoch (from 0)."""
    from cnnlab.classifier import Classifier
    from cnnlab.launch.cell import train_cell

    begin_batch = Classifier.on_train_batch_start

    def interrupt(self: Classifier, batch: Any, batch_idx: int) -> None:
        if self.current_epoch == epoch and batch_idx == 3:
            raise SystemExit(143)
        begin_batch(self, batch, batch_idx)

    with monkeypatch.context() as once:
        once.setattr(Classifier, "on_train_batch_start", interrupt)
        with pytest.raises(SystemExit):
            train_cell(config, folder, [])


def runs(folder: Path) -> list[Path]:
    """The folders of the runs below <folder>/runs, sorted."""
    return sorted(path.parent for path in (folder / "runs").glob("*/*/status.json"))


@pytest.fixture(autouse=True)
def signals_as_before() -> Iterator[None]:
    """A test that leaves a handler of its own would decide what becomes of those after it."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
