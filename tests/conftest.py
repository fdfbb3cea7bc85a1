"""What the tests share: composed configurations, tiny data, and the command line."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir

from cnnlab.cell import resolved
from cnnlab.conf import conf_folder, register

Config = dict[str, Any]
REPOSITORY = Path(__file__).parents[1]
# A run that takes a second: a few images, two steps.
TINY = ["datamodule.fraction=0.1", "datamodule.batch_size=16", "trainer.max_epochs=2", "callbacks=quiet"]


def pytest_configure() -> None:
    """Before collection: tests are parametrized by what composes."""
    register()


def compose_config(*overrides: str) -> Config:
    """The configuration that these overrides of `cnnlab train` give, as plain values."""
    with initialize_config_dir(str(conf_folder()), version_base="1.3"):
        return resolved(compose("train", list(overrides)))


def stems(group: str) -> list[str]:
    """What a user can type for a group."""
    return sorted(path.stem for path in (conf_folder() / group).glob("[!_]*.yaml"))


@pytest.fixture
def cnnlab(tmp_path: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs the command line in an empty folder, with warnings as errors."""

    def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        import os

        return subprocess.run(
            [sys.executable, "-m", "cnnlab", *arguments],
            cwd=tmp_path,
            env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200", **environment},
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run
