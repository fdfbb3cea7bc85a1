"""A report in W&B, offline, read back."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from folders import StudyFolder

from wandb_files import records


@pytest.mark.slow
def test_the_table_the_plots_and_the_summary_go_to_a_run_of_the_studys_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    study = StudyFolder(tmp_path / "study")
    for seed in range(2):
        for dropout in (0.0, 0.5):
            changes = {"regularizer.dropout": dropout}
            study.add(0.8 + dropout / 10, f"regularizer.dropout={dropout}", seed=seed, changes=changes)
    command = [sys.executable, "-m", "cnnlab", "report", str(study.folder), "--wandb"]
    said = subprocess.run(command, capture_output=True, text=True, check=True)  # whose end makes W&B's file whole
    assert "Later: wandb sync" in said.stdout + said.stderr
    (file,) = (study.folder / "report").glob("wandb/offline-run-*/*.wandb")
    run = list(records(file))
    told = next(record.run for record in run if record.HasField("run"))
    assert (told.run_group, told.job_type, told.project) == ("study", "report", "cnnlab")
    assert "regularizer.dropout=0.5 (against 0)" in told.notes
    history = [item for record in run if record.HasField("history") for item in record.history.item]
    logged = {(item.key or "/".join(item.nested_key)): json.loads(item.value_json) for item in history}
    assert logged["report/conditions/nrows"] == 2
    assert logged["report/effects/_type"] == "image-file"
