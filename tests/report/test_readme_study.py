"""What the README shows of a study is what `cnnlab report` says of it."""

import sys
from pathlib import Path

from cnnlab.charts import save
from cnnlab.markers import between
from cnnlab.report.charts import charts
from conftest import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "scripts"))
from show_study import FOLDER, PLOT, block, chosen_theme, shown


def test_the_readmes_table_and_sentences_are_the_reports() -> None:
    assert between((REPOSITORY / "README.md").read_text(encoding="utf-8"), "study") == block(shown())


def test_the_readmes_plot_is_the_reports(tmp_path: Path) -> None:
    save(charts(shown())[PLOT], tmp_path / "again", chosen_theme())
    assert (tmp_path / "again.svg").read_text() == (FOLDER / f"{PLOT}.svg").read_text()


def test_the_study_has_replicates_and_all_of_its_cells() -> None:
    made = shown()
    assert set(made["counts"]) <= {"done", "diverged"}
    assert all(one["n"] == 5 for one in made["conditions"])
