"""Puts a study's report into the README: its table, its sentences and the plot of its effects.

python scripts/show_study.py runs/<study>
"""

import argparse
import json
from pathlib import Path
from typing import Any

from cnnlab.atomic import write_json, write_text
from cnnlab.charts import save
from cnnlab.cli import report_errors
from cnnlab.markers import put_between
from cnnlab.report.build import build
from cnnlab.report.chart_theme import config
from cnnlab.report.charts import charts
from cnnlab.report.content import Report
from cnnlab.report.markdown import markdown
from cnnlab.report.sheets import results
from cnnlab.report.wanted import Wanted
from cnnlab.study.status import study_folder

REPOSITORY = Path(__file__).parents[1]
FOLDER = REPOSITORY / "docs" / "study"
LONG = ("curves", "images", "image_tests", "hardest", "cells", "warnings")  # not shown there
PLOT = "effects"


def main() -> None:
    """Writes docs/study and the README's part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", help="a folder, or its name below runs/")
    study = study_folder(parser.parse_args().study)
    made = build(study, Wanted(study / "report"))
    write_json(FOLDER / "report.json", {**made, **{name: [] for name in LONG}})
    save(charts(made)[PLOT], FOLDER / PLOT, chosen_theme())
    (FOLDER / f"{PLOT}.png").unlink()  # the page shows the SVG
    file = REPOSITORY / "README.md"
    write_text(file, put_between(file.read_text(encoding="utf-8"), "study", block(made)))
    print(f"written: {file}, {FOLDER}")


def chosen_theme() -> dict[str, Any]:
    """Of the plot."""
    return config(dark=False)


def shown() -> Report:
    """What the README shows now."""
    made: Report = json.loads((FOLDER / "report.json").read_text(encoding="utf-8"))
    return made


def block(made: Report) -> str:
    """The command, the table, what the tests say, and the plot."""
    trained = sum(made["counts"].values())
    states = ", ".join(f"{count} {state}" for state, count in made["counts"].items())
    commands = "\n".join(f"$ {command}" for command in made["commands"])
    lines = [
        f"{trained} cells ({states}), {made['made'][:10]}, {made['environment'].get('cpus', '?')} cores of a CPU "
        f"({made['environment'].get('device', '')}), commit {', '.join(made['code'])}:",
        "",
        f"```text\n{commands}\n```",
        "",
        markdown(results(made)).rstrip(),
        "",
        *(f"- {sentence}" for sentence in made["summary"]),
        "",
        f"![differences that each ingredient makes, with 95 % intervals](docs/study/{PLOT}.svg)",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    report_errors(main)
