"""`cnnlab report`: what a study shows, printed, and written to <study>/report."""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from rich.console import Console

from cnnlab.atomic import write_json, write_text
from cnnlab.errors import UserError
from cnnlab.report.build import build, build_of_one
from cnnlab.report.content import Report
from cnnlab.report.wanted import Wanted
from cnnlab.study.lock import is_taken
from cnnlab.study.state import State
from cnnlab.study.status import read_study, study_folder

PERIOD = 5.0  # seconds between looks


class Options(argparse.ArgumentParser):
    """One that lets the caller say what is wrong."""

    def __init__(self, command: str) -> None:
        super().__init__(command, add_help=False, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{self.prog}: {message}. Try cnnlab {self.prog} --help")


def report(arguments: Sequence[str]) -> None:
    """Builds the report of a study, or of a run, once or as long as cells are trained.

    Raises:
        UserError: there is no such study, option, metric, factor or level.
    """
    parser = Options("report")
    parser.add_argument("study")
    for option in ("--rows", "--columns"):
        parser.add_argument(option, default="")
    parser.add_argument("--metric", default="")
    parser.add_argument("--baseline", action="append", default=[])
    parser.add_argument("--output", type=Path)
    parser.add_argument("--watch", action="store_true")
    parser.add_argument("--wandb", action="store_true")
    options = parser.parse_args(list(arguments))
    one_run = (Path(options.study) / "status.json").is_file()
    study = Path(options.study) if one_run else study_folder(options.study)
    folder = options.output or study / "report"
    baselines = _baselines(options.baseline)
    wanted = Wanted(folder, options.metric, _names(options.rows), _names(options.columns), baselines)
    console = Console(highlight=False)
    if one_run and (options.watch or options.wandb):
        raise UserError(f"report {study}: it is one run; --watch and --wandb want a study")
    if options.watch:
        made = watch(study, wanted, console)
    else:
        with console.status(f"reading {study}"):
            made = build_of_one(study, wanted) if one_run else build(study, wanted)
        show(made, console)
        with console.status("drawing"):
            page = write(made, folder)
        console.print(f"written: {page}", soft_wrap=True, markup=False)
    if options.wandb:
        from cnnlab.report.weights_and_biases import send

        send(made, folder, study)


def watch(study: Path, wanted: Wanted, console: Console) -> Report:
    """Writes the report again whenever a cell has changed its state or ended an epoch, as long as the study is trained.

    What no command trains any more is over, also if cells are missing.
    """
    before: object = None
    while True:
        begun = time.monotonic()
        counts, running = _now(study)
        live = bool(counts.get("running")) or is_taken(study)
        if (counts, running) != before or not live:
            made = build(study, wanted)
            page = write(made, wanted.folder, refresh=PERIOD if live else None)
            said = ", ".join(f"{count:,} {state}" for state, count in counts.items())
            console.print(f"{time.strftime('%H:%M:%S')} {said}; written: {page}", soft_wrap=True, markup=False)
            before = counts, running
        if not live:
            if missing := counts.get("missing"):
                console.print(f"nobody trains this study now; {missing:,} cells are missing", markup=False)
            return made
        time.sleep(max(PERIOD, 3 * (time.monotonic() - begun)))  # a large study less often


def _now(study: Path) -> tuple[dict[State, int], dict[str, int]]:
    """How many cells are in each state, and how much each that runs has written down."""
    seen = read_study(study)
    curves = {cell.folder.name: cell.folder / "metrics.csv" for cell in seen.of("running")}
    return seen.counts, {name: file.stat().st_size for name, file in curves.items() if file.exists()}


def show(made: Report, console: Console) -> None:
    """The main table, the sentences, what is to be known."""
    from cnnlab.report.tables import table_text

    console.print(table_text(made, console.width))
    for line in made["summary"]:
        console.print(f"- {line}", markup=False)
    for line in made["warnings"]:
        console.print(f"! {line}", style="yellow", markup=False)


def write(made: Report, folder: Path, refresh: float | None = None) -> Path:
    """report.json, tables, plots and the page, whose path is returned."""
    from cnnlab.report.charts import charts, write_charts
    from cnnlab.report.page import page
    from cnnlab.report.tables import table_csv, table_md, table_tex

    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "report.json", dict(made))
    write_text(folder / "table.csv", table_csv(made))
    write_text(folder / "table.md", table_md(made))
    write_text(folder / "table.tex", table_tex(made))
    drawn = charts(made)
    if refresh is None:
        write_charts(drawn, folder)
    write_text(folder / "index.html", page(made, drawn, refresh, folder))
    return folder / "index.html"


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _baselines(texts: Sequence[str]) -> dict[str, str]:
    chosen: dict[str, str] = {}
    for text in texts:
        factor, equals, level = text.partition("=")
        if not equals:
            raise UserError(f"--baseline {text}: it must be factor=level, as regularizer=none")
        chosen[factor] = level
    return chosen
