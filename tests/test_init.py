"""`cnnlab init` and what it writes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cnnlab.errors import UserError
from cnnlab.init import init


def ran(folder: Path, *words: str) -> str:
    """What the installed command says, which does not look for code where it was called."""
    environment = {**os.environ, "CNNLAB_ALLOWED_PACKAGES": "mine", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-P", "-c", "from cnnlab.cli import main; main()", *words]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_new_project_trains_its_own_network_on_its_own_data(tmp_path: Path) -> None:
    init([str(tmp_path / "mine alone")])
    said = ran(tmp_path / "mine alone", "train", "experiment=first", "trainer.max_epochs=1")
    assert "tinynet" in said
    assert "shapes" in said


@pytest.mark.slow
def test_a_sweep_of_the_new_project_trains_it_beside_ours(tmp_path: Path) -> None:
    init([str(tmp_path / "new")])
    ran(tmp_path / "new", "train", "-m", "study=s", "experiment=first", "model=tinynet,lenet5", "trainer.max_epochs=1")
    assert "2 done" in ran(tmp_path / "new", "status", "s")


@pytest.mark.slow
def test_its_data_set_has_the_mean_and_std_that_its_configuration_says(tmp_path: Path) -> None:
    init([str(tmp_path / "new")])
    assert "far from what was measured" not in ran(tmp_path / "new", "data", "datamodule=shapes")


@pytest.mark.parametrize(("words", "said"), [([], "it wants the name"), (["full"], "there is something already")])
def test_where_it_cannot_write_it_says_so(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("all I have")
    with pytest.raises(UserError, match=said):
        init(words)
    assert [path.name for path in tmp_path.rglob("*")] == ["full", "thesis.tex"]
