"""Two runs side by side."""

from pathlib import Path

import pytest
from folders import StudyFolder, predictions

from cnnlab.errors import UserError
from cnnlab.report.compare import compare


@pytest.fixture
def study(tmp_path: Path) -> StudyFolder:
    return StudyFolder(tmp_path / "study")


def test_what_differs_is_told_and_what_does_not_is_not(
    study: StudyFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = study.add(0.75, seed=0)
    second = study.add(0.5, seed=0, changes={"optim.lr": 0.1, "runs_dir": "elsewhere"})
    compare([str(first), str(second), "--output", str(tmp_path / "out")])
    said = capsys.readouterr().out
    assert "optim.lr  0.001  0.1" in " ".join(said.split()).replace(" ", "  ")
    assert "runs_dir" not in said
    assert "-25.0 points" in said
    assert (tmp_path / "out" / "index.html").exists()


def test_the_images_that_only_one_gets_right_are_counted(
    study: StudyFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = study.add(0.75, seed=0), study.add(0.5, seed=1)
    predictions(first, [0, 1, 2, 3], [0, 1, 2, 0])
    predictions(second, [0, 1, 2, 3], [0, 0, 0, 3])
    compare([str(first), str(second), "--output", str(tmp_path / "out")])
    said = " ".join(capsys.readouterr().out.split())
    assert "of 4 test images only the first gets 2 right, only the second 1: -25.0 points" in said


def test_runs_that_were_tested_on_other_images_are_compared_in_all_else(
    study: StudyFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = study.add(0.75, seed=0), study.add(0.5, seed=1)
    predictions(first, [0, 1, 2, 3], [0, 1, 2, 0])
    predictions(second, [0, 1, 2], [0, 0, 0])
    compare([str(first), str(second), "--output", str(tmp_path / "out")])
    assert "were tested on different images (4 and 3 of them)" in capsys.readouterr().out
    assert (tmp_path / "out" / "index.html").exists()


def test_the_value_of_a_run_that_diverged_is_told_to_be_chance(
    study: StudyFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = study.add(0.75, seed=0), study.add(seed=1, state="diverged")
    compare([str(first), str(second), "--output", str(tmp_path / "out")])
    assert "25.0 % (diverged: chance)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["cell0"], "it wants the folders of two runs, and was given 1"),
        (["cell0", "cell0"], "are the same run"),
        (["cell0", "nothing"], "it is not the folder of a run"),
    ],
)
def test_what_cannot_be_compared_is_said(study: StudyFolder, names: list[str], words: str) -> None:
    study.add(0.9)
    with pytest.raises(UserError, match=words):
        compare([str(study.folder / name) for name in names])
