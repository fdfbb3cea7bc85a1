"""The recipes of CONTRIBUTING.md, followed to the letter in a copy of the repository."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from conftest import REPOSITORY

TEXT = (REPOSITORY / "CONTRIBUTING.md").read_text()
CHAPTERS: dict[str, str] = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))
RECIPES = [title for title in CHAPTERS if title.startswith("Add a")]
COPIED = ("src", "conf", "scripts", "tests", "pyproject.toml", "README.md")


def files(title: str) -> dict[str, str]:
    """Name and content of each block that is introduced as `name`: or `name`, with ...:"""
    blocks = re.findall(r"`([^`\s]+\.\w+)`[^`]*?:\n\n```(?:python|yaml)\n(.*?)```", CHAPTERS[title], re.DOTALL)
    return dict(blocks)


def commands(title: str) -> list[tuple[list[str], int]]:
    """Words of each command, and the exit code that it has to have."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", CHAPTERS[title], re.DOTALL):
        for line in block.splitlines():
            command, _, comment = line.removeprefix("$ ").partition("  #")
            code = re.search(r"exit code (\d)", comment)
            found.append((shlex.split(command), int(code[1]) if code else 0))
    return found


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A checkout in which anything may be changed, with a file of somebody's data."""
    for name in COPIED:
        if (REPOSITORY / name).is_dir():
            shutil.copytree(REPOSITORY / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(REPOSITORY / name, tmp_path / name)
    images, labels = load_digits(return_X_y=True)
    images = np.pad((images.reshape(-1, 8, 8) * 15).astype(np.uint8), ((0, 0), (12, 12), (12, 12)))
    arrays = {"train_images": images[:400], "train_labels": labels[:400]}
    np.savez(tmp_path / "digits.npz", **arrays, test_images=images[400:600], test_labels=labels[400:600])
    return tmp_path


def ran(words: list[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    """With the copy's cnnlab, whichever is installed."""
    words = [sys.executable, *({"cnnlab": ["-m", "cnnlab"], "python": []}[words[0]]), *words[1:]]
    path = os.pathsep.join([str(folder / "src"), str(folder)])
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=550)


@pytest.mark.slow
@pytest.mark.parametrize("title", RECIPES)
def test_a_recipe_leads_where_it_says(title: str, copy: Path) -> None:
    for name, content in files(title).items():
        assert not (copy / name).exists(), f"{name} is there already"
        (copy / name).write_text(content)
    for patch in re.findall(r"```diff\n(.*?)```", CHAPTERS[title], re.DOTALL):
        applied = subprocess.run(["git", "apply"], cwd=copy, input=patch, capture_output=True, text=True)
        assert applied.returncode == 0, applied.stderr
    for words, code in commands(title):
        done = ran(words, copy)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
    in_style([name for name in files(title) if name.endswith(".py")], copy)


def in_style(names: list[str], folder: Path) -> None:
    """As `make lint` finds it."""
    for command in (["check"], ["format", "--check", "--diff"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--no-cache", *names]
        told = subprocess.run(ruff, cwd=folder, capture_output=True, text=True)
        assert told.returncode == 0 or not names, told.stdout + told.stderr


def test_there_is_a_recipe_for_everything_that_is_added() -> None:
    assert [title.split()[-1] for title in RECIPES] == ["model", "optimizer", "regularizer", "set", "claim"]
    assert all(files(title) and commands(title) for title in RECIPES)
