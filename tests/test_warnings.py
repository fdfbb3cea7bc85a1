"""Nothing that cnnlab does makes Python warn: every command runs where warnings are errors."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TINY = ["datamodule.fraction=0.1", "trainer.max_epochs=1", "callbacks=quiet"]
COMMANDS = [
    ["train", "study=one", "logger=[csv,tensorboard]", "augment=standard", *TINY],
    ["train", "-m", "study=grid", "regularizer=none,all", "seed=range(2)", *TINY],
    ["status", "grid"],
    ["report", "grid"],
    ["eval", "run=runs/one/*", "corruptions=[jpeg]", "tta=shift"],
]


@pytest.mark.slow
def test_no_command_warns(tmp_path: Path) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "error"}  # of what it starts, too
    for words in COMMANDS:
        command = [sys.executable, "-W", "error", "-m", "cnnlab", *words]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Warning" not in done.stdout + done.stderr
    for said in tmp_path.glob("runs/*/*/console.log"):  # of cells, which are processes of their own
        assert "Warning" not in said.read_text()
