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
    files = []
    for _ in range(2):
        said = subprocess.run(command, capture_output=True, text=True, check=True)  # whose end makes W&B's file whole
        assert "Later: wandb sync" in said.stdout + said.stderr
        files = list((study.folder / "report").glob("wandb/offline-run-*/*.wandb"))
    first, again = (list(records(file)) for file in files)
    run = again
    told, before = (next(record.run for record in of if record.HasField("run")) for of in (again, first))
    assert told.run_id == before.run_id
    assert (told.run_group, told.job_type, told.project) == ("study", "report", "cnnlab")
    assert "regularizer.dropout=0.5 (against 0)" in told.notes
    history = [item for record in run if record.HasField("history") for item in record.history.item]
    logged = {(item.key or "/".join(item.nested_key)): json.loads(item.value_json) for item in history}
    assert logged["report/conditions/nrows"] == 2
    assert logged["report/effects/_type"] == "image-file"


def test_wandb_that_is_disabled_is_told_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import wandb

    from cnnlab.report.weights_and_biases import send

    wandb.teardown()
    monkeypatch.setenv("WANDB_MODE", "disabled")
    send({}, tmp_path, tmp_path)  # type: ignore[typeddict-item]
    wandb.teardown()
    assert not list(tmp_path.iterdir())
