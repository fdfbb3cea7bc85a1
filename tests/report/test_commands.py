"""The commands by which a study's cells come about again."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from folders import StudyFolder

from cnnlab.report.build import build
from cnnlab.report.wanted import Wanted
from conftest import TINY


def test_a_cell_of_a_plain_sweep_is_a_single_run(tmp_path: Path) -> None:
    study = StudyFolder(tmp_path / "s", ["model=lenet5,nin", "seed=range(2)", "trainer.max_epochs=3", "study=s"])
    study.add(0.9, "model=nin", seed=1)
    (cell,) = study.report()["cells"]
    assert cell["command"] == "cnnlab train trainer.max_epochs=3 model=nin seed=1"


def test_how_the_study_was_launched_is_not_part_of_a_cell(tmp_path: Path) -> None:
    study = StudyFolder(tmp_path / "s", ["seed=0", "hydra/launcher=slurm", "hydra.launcher.jobs=2", "tune=lr"])
    study.add(0.9)
    (cell,) = study.report()["cells"]
    assert cell["command"] == "cnnlab train seed=0"


def test_the_studys_own_commands_are_given_as_they_were_typed(tmp_path: Path) -> None:
    study = StudyFolder(tmp_path / "s", ["regularizer=none,[none,dropout]", "study=s"])
    study.add(0.9)
    assert study.report()["commands"] == ["cnnlab train -m 'regularizer=none,[none,dropout]' study=s"]


@pytest.mark.slow
def test_the_command_of_a_designs_cell_trains_that_very_cell(tmp_path: Path) -> None:
    words = [*TINY, "trainer.max_epochs=1", "ablation.seeds=1"]
    run(["train", "-m", "ablation=leave_one_out", "study=all", *words], tmp_path)
    made = build(tmp_path / "runs" / "all", Wanted(tmp_path))
    for cell in made["cells"][:2]:  # the full recipe, and one that leaves something out
        command = shlex.split(cell["command"])
        run([*command[1:], f"study=alone-{cell['levels']['leave_out'][:3].strip('- ')}"], tmp_path)
    alone = [path.parent.name for path in (tmp_path / "runs").glob("alone-*/*/result.json")]
    assert sorted(alone) == sorted(cell["name"] for cell in made["cells"][:2])


def run(words: list[str], folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cnnlab", *words], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_what_a_cell_was_asked_for_by_is_found_in_its_record(tmp_path: Path) -> None:
    study = StudyFolder(tmp_path / "s", ["seed=0"])
    study.add(0.9)
    file = tmp_path / "s" / "study.json"
    record = json.loads(file.read_text())
    record["commands"] = []  # taken out by hand
    file.write_text(json.dumps(record))
    assert study.report()["cells"][0]["command"] == "cnnlab train seed=0"
