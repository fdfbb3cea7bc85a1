"""Every command of the README runs, made short; its claims about groups are those of conf/."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest
import torch
from PIL import Image

from conftest import REPOSITORY, stems

README = (REPOSITORY / "README.md").read_text()
COMMANDS = [
    line[2:].split("  #")[0].strip()
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("$ ")
]
SHORT = ["trainer.max_epochs=1", "trainer.limit_train_batches=1", "trainer.limit_val_batches=1"]
SHORT += ["trainer.limit_test_batches=1", "datamodule.batch_size=8", "callbacks=quiet"]
SMALL = {"steps": "2", "flops": "5e9", "seconds": "0.1"}  # budgets, which decide on max_epochs
# what this machine may not have: then only composed
NEEDS = {
    "datamodule=cifar10": "data/cifar10/test_batch.bin",
    "cifar10 model": "data/cifar10/test_batch.bin",
    "trainer=ddp ": "/dev/nvidia1",
    "hydra/launcher=slurm": "/etc/slurm/slurm.conf",  # tests/launch/test_slurm.py has a cluster of its own
    "resnet50 model.weights=imagenet": str(Path(torch.hub.get_dir(), "checkpoints", "resnet50-0676ba61.pth")),
    "vgg16 model.weights=imagenet": str(Path(torch.hub.get_dir(), "checkpoints", "vgg16-397923af.pth")),
}
SHORT_BENCHES = {
    "ddp": ["datamodule.batch_size=8", "steps=1"],
    "data": ["datamodule.batch_size=8", "images=16"],
    "grid": ["datamodule.batch_size=8", "cells=2", "fresh=1"],
    "overhead": ["steps=2"],
    "models": ["models=lenet5", "seconds=0.1"],
    "levers": ["models=lenet5", "seconds=0.1", "compile=false"],
}
FASHION = Path("/usr/share/datasets/fashion-mnist")


def files_of_the_reader(folder: Path) -> None:
    """The two files of the chapter on adding a network, to the letter, and a few photos."""
    yaml, python = (re.search(rf"```{kind}\n(.*?)```", README, re.DOTALL) for kind in ("yaml", "python"))
    assert yaml
    assert python
    (folder / "conf" / "model").mkdir(parents=True)
    (folder / "conf" / "model" / "tinynet.yaml").write_text(yaml[1])
    (folder / "tinynet.py").write_text(python[1])
    rng = np.random.default_rng(0)
    for label in ("cat", "dog"):
        (folder / "photos" / label).mkdir(parents=True)
        for number in range(12):
            pixels = rng.integers(0, 255, (80, 100, 3), np.uint8)
            Image.fromarray(pixels).save(folder / "photos" / label / f"{number}.jpg")
    rows = [f"{path.relative_to(folder / 'photos')},{path.parent.name}" for path in (folder / "photos").rglob("*.jpg")]
    (folder / "table").symlink_to(folder / "photos")
    (folder / "table" / "labels.csv").write_text("\n".join(["path,class", *rows]))


def shortened(command: str) -> list[str]:
    """The command for this Python, with the fewest steps that it can take."""
    words = shlex.split(command)
    changes = [word for word in words if re.fullmatch(r"[A-Z]+=\S+", word)]
    words = words[len(changes) :]
    if words[0] == "cnnlab":
        words[:1] = [sys.executable, "-m", "cnnlab"]
        if "train" in words and not {"--help", "--cfg"} & set(words):
            words = [word for word in words if not word.startswith("trainer.max_epochs")]
            words += [short for short in SHORT if not any(word.startswith(short.split("=")[0]) for word in words)]
            if budget := re.search(r"budget=(\w+)", command):
                words = [re.sub(r"^budget.amount=.*", f"budget.amount={SMALL[budget[1]]}", word) for word in words]
                words.remove("trainer.max_epochs=1")
            if any(needed in command + " " and not Path(file).exists() for needed, file in NEEDS.items()):
                words += ["--cfg", "job", "--resolve"]
        if "bench" in words:
            words += ["rounds=1"] if "rounds=0" not in words and "models" not in words else []
            words += SHORT_BENCHES.get(words[words.index("bench") + 1], [])
    elif words[0].startswith("scripts/"):
        words = [str(REPOSITORY / words[0]), *words[1:], *SHORT]
    elif words[0] == "python":
        words = [sys.executable, str(REPOSITORY / words[1]), *words[2:]]
    return ["env", *changes, *words]


def is_slow(command: str) -> bool:
    """All that trains, measures or looks at images, but for the first command of all."""
    quick = ("--help", "--cfg", "cnnlab models", "cnnlab status", "cnnlab init", "cnnlab completion")
    return command != "cnnlab train" and not any(words in command for words in quick)


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(command, marks=pytest.mark.slow if is_slow(command) else [])
        for command in COMMANDS
        if not command.startswith("make ")
    ],
)
def test_command_runs(command: str, tmp_path: Path) -> None:
    if any(word in command for word in ("fashion_mnist", "alexnet_quick")) and not FASHION.is_dir():
        pytest.skip("needs Debian's package dataset-fashion-mnist")
    files_of_the_reader(tmp_path)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PATH": path}
    for one in [*before(command), command]:
        words = [found for word in shortened(one) for found in as_the_shell_would(word, tmp_path)]
        if "serve" in words:
            assert answers([*words, "port=0"], tmp_path, environment)
            continue
        ran = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=550)
        assert ran.returncode == 0, ran.stdout + ran.stderr


def answers(words: list[str], folder: Path, environment: dict[str, str]) -> bool:
    """Whether the page is there until the command is ended."""
    with subprocess.Popen(words, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        address = next((found[0] for line in server.stdout if (found := re.search(r"http://[\d.:]+/", line))), "")
        try:
            with urlopen(address, timeout=60) as page:
                return "cnnlab" in page.read().decode()
        finally:
            server.terminate()


def as_the_shell_would(word: str, folder: Path) -> list[str]:
    """The files that a pattern stands for."""
    is_pattern = word.endswith("-*") and "=" not in word
    return sorted(str(path) for path in folder.glob(word)) if is_pattern else [word]


def before(command: str) -> list[str]:
    """The study that the README has trained before it looks at it."""
    if command.split()[1] not in ("report", "compare", "eval", "predict", "export", "look", "dashboard", "serve"):
        return []
    training = {found[1]: one for one in COMMANDS if (found := re.search(r" train -m .*study=(\w+)", one))}
    return [one for study, one in training.items() if re.search(rf"\b{study}\b", command)]


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("make ")])
def test_make_knows_its_targets(command: str) -> None:
    assert subprocess.run([*command.split(), "--dry-run"], cwd=REPOSITORY, capture_output=True).returncode == 0


@pytest.mark.parametrize(
    "group",
    [
        "model",
        "regularizer",
        "optim",
        "scheduler",
        "datamodule",
        "augment",
        "trainer",
        "logger",
        "ablation",
        "tune",
        "budget",
        "debug",
    ],
)
def test_the_table_of_groups_is_complete(group: str) -> None:
    row = re.search(rf"^\| `{group}` \|(.*)\|$", README, re.MULTILINE)
    assert row
    assert {stem for stem in stems(group) if not stem.startswith("no_")} <= set(re.findall(r"`([a-z0-9_]+)`", row[1]))


@pytest.mark.parametrize("picture", re.findall(r"!\[.*?\]\((.*?)\)", README))
def test_every_picture_is_there(picture: str) -> None:
    assert (REPOSITORY / picture).stat().st_size > 5_000


def test_every_make_target_is_explained() -> None:
    told = subprocess.run(["make", "help"], cwd=REPOSITORY, capture_output=True, text=True).stdout
    for target in (
        "help",
        "install",
        "train",
        "claims",
        "bench",
        "bench-compare",
        "test",
        "test-all",
        "coverage",
        "lint",
        "format",
        "clean",
    ):
        assert f"make {target} " in told


def test_each_line_about_what_happens_names_its_test() -> None:
    chapter = README.split("## What happens if ...")[1].split("\n## ")[0]
    rows = [row for row in chapter.splitlines() if row.startswith("| ")][1:]
    assert len(rows) > 10
    for row in rows:
        named = re.findall(r"`(tests/[a-z_/]+\.py)`", row.split("|")[3])
        assert named, row
        assert all((REPOSITORY / file).is_file() for file in named), row
