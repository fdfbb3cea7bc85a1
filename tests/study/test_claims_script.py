"""scripts/claims.py: its exit codes and what it says; that claims come true is not tested."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import REPOSITORY

TINY = """# @package _global_
datamodule: {fraction: 0.1, batch_size: 16}
trainer: {max_epochs: 1}
ablation:
  axes: {regularizer.dropout: [0, 0.5]}
  seeds: 2
  card: {claim: Dropout is worth half of the accuracy., source: "nobody, 2026", design: tiny, confirmation: it is so}
  checks:
    - say: it is so
      metric: test/accuracy
      of: {regularizer.dropout: 0.5}
      over: {regularizer.dropout: 0}
      by: 0.5
"""


def claims(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(REPOSITORY / "scripts" / "claims.py"), *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


def test_an_unknown_claim_is_answered_with_the_nearest(tmp_path: Path) -> None:
    ran = claims(tmp_path, "dropuot")
    assert ran.returncode == 1
    assert "Did you mean dropout?" in ran.stderr
    assert not list(tmp_path.iterdir())


def test_a_study_that_is_not_there_cannot_be_judged(tmp_path: Path) -> None:
    ran = claims(tmp_path, "--judge", "dropout")
    assert ran.returncode == 1
    assert "not finished: dropout" in ran.stderr


@pytest.mark.slow
def test_a_claim_is_trained_once_and_judged(tmp_path: Path) -> None:
    (tmp_path / "conf" / "ablation").mkdir(parents=True)
    (tmp_path / "conf" / "ablation" / "tiny.yaml").write_text(TINY)
    first = claims(tmp_path, "tiny", "--jobs", "1")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "4 cells in runs/claims-tiny, 4 to train" in first.stdout
    assert "not confirmed" in first.stdout
    second = claims(tmp_path, "tiny", "--jobs", "1")
    assert "4 cells in runs/claims-tiny, 0 to train" in second.stdout
