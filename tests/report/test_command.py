"""`cnnlab report`."""

import json
import threading
import time
from base64 import b64encode
from pathlib import Path

import pytest
from folders import StudyFolder, predictions

from cnnlab.errors import UserError
from cnnlab.report import command
from cnnlab.report.build import build
from cnnlab.report.charts import write_charts
from cnnlab.report.command import report
from cnnlab.report.wanted import Wanted
from cnnlab.study import lock

FILES = ("index.html", "table.csv", "table.md", "table.tex", "report.json", "effects.svg", "effects.png")


@pytest.fixture
def study(tmp_path: Path) -> StudyFolder:
    """Two recipes with three seeds."""
    made = StudyFolder(tmp_path / "study")
    for seed in range(3):
        for dropout in (0.0, 0.5):
            changes = {"regularizer.dropout": dropout}
            cell = made.add(
                0.75 + dropout * (0.1 + seed / 1000) + seed / 100,
                f"regularizer.dropout={dropout}",
                seed=seed,
                changes=changes,
            )
            predictions(cell, [0, 1, 2, 3], [0, 1, 2, seed])
    return made


def test_everything_is_written_and_the_table_is_printed(study: StudyFolder, capsys: pytest.CaptureFixture[str]) -> None:
    report([str(study.folder)])
    assert {path.name for path in (study.folder / "report").iterdir()} >= set(FILES)
    said = capsys.readouterr().out
    assert "76.0 ± 1.0" in said
    assert "regularizer.dropout=0.5 (against 0): helps, +5.1 points" in " ".join(said.split())
    assert str(study.folder / "report" / "index.html") in said.replace("\n", "")


def test_cells_are_linked_from_wherever_the_report_lies(study: StudyFolder, tmp_path: Path) -> None:
    elsewhere = tmp_path / "else" / "where"
    elsewhere.mkdir(parents=True)
    made = build(study.folder, Wanted(elsewhere))
    assert (elsewhere / made["cells"][0]["folder"] / "status.json").exists()


def test_a_report_reads_the_study_and_changes_nothing_in_it(
    study: StudyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cnnlab.report.charts.write_charts", lambda *_: None)  # which takes seconds
    before = {path: path.read_bytes() for path in study.folder.rglob("*") if path.is_file()}
    report([str(study.folder)])
    assert {path: path.read_bytes() for path in before} == before


def test_a_single_run_is_not_spoken_of_as_a_study(study: StudyFolder, capsys: pytest.CaptureFixture[str]) -> None:
    run = study.folder / "cell0"
    report([str(run)])
    said = capsys.readouterr().out
    page = (run / "report" / "index.html").read_text()
    for words in (
        "all cells",
        "over seeds",
        "One seed has no spread",
        "most cells",
        "what each ingredient",
        'data-chart="seeds"',
    ):
        assert words not in said + page, words
    assert "this run" in said
    assert f"cnnlab look run={run}" in page


def test_a_single_run_has_a_page_with_its_configuration(study: StudyFolder) -> None:
    run = study.folder / "cell0"
    (run / "pictures").mkdir()
    (run / "pictures" / "grad_cam.png").write_bytes(b"a picture")
    report([str(run)])
    page = (run / "report" / "index.html").read_text()
    assert "Report of a run" in page
    assert "_target_: torch.optim.Adam" in page
    assert f'src="data:image/png;base64,{b64encode(b"a picture").decode()}" alt="grad cam' in page


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "report: the following arguments are required: study"),
        (["nothing"], "there is no study nothing"),
        (["{study}", "--row", "model"], "report: unrecognized arguments: --row model"),
        (["{study}", "--rows", "optim"], "--rows optim: there is no such factor"),
        (["{study}", "--baseline", "optim"], "--baseline optim: it must be factor=level"),
    ],
)
def test_what_cannot_be_done_is_said(study: StudyFolder, words: list[str], said: str) -> None:
    with pytest.raises(UserError) as raised:
        report([word.format(study=study.folder) for word in words])
    assert said in str(raised.value)


@pytest.mark.slow
def test_a_watched_report_is_made_again_when_a_cell_is_done(
    study: StudyFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "PERIOD", 0.1)
    training = lock.take(study.folder, ["seed=0"])
    late = study.add(None, "regularizer.dropout=0.5", seed=3, state=None)
    watching = threading.Thread(target=report, args=([str(study.folder), "--watch"],), daemon=True)
    watching.start()
    page = study.folder / "report" / "index.html"
    wait_for(page.exists)
    assert "data-refresh" in page.read_text().split("<head>")[0]  # it follows what is written
    del study.record["cells"][late.name]
    study.add(0.9, "regularizer.dropout=0.5", seed=3, changes={"regularizer.dropout": 0.5})
    lock.give_back(training)
    watching.join(60)
    assert not watching.is_alive()
    assert "data-refresh" not in page.read_text().split("<head>")[0]
    assert json.loads((study.folder / "report" / "report.json").read_text())["counts"] == {"done": 7}
    assert "6 done, 1 missing" in capsys.readouterr().out


def test_a_watched_report_ends_when_nobody_trains_what_is_missing(
    study: StudyFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cnnlab.report.charts.write_charts", lambda *_: None)
    study.add(None, "regularizer.dropout=0.5", seed=3, state=None)
    report([str(study.folder), "--watch"])
    assert "nobody trains this study now; 1 cells are missing" in capsys.readouterr().out


def test_a_chart_that_is_drawn_no_more_leaves_no_old_picture(tmp_path: Path) -> None:
    stale, mine = tmp_path / "interactions.png", tmp_path / "mine.png"
    for file in (stale, mine):
        file.write_bytes(b"")
    write_charts({}, tmp_path)
    assert (stale.exists(), mine.exists()) == (False, True)


def wait_for(happened: object) -> None:
    until = time.monotonic() + 60
    while not happened():  # type: ignore[operator]
        assert time.monotonic() < until
        time.sleep(0.05)
