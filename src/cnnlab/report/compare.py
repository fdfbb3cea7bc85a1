"""`cnnlab compare`: two runs side by side."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from cnnlab.cell import WITHOUT_EFFECT
from cnnlab.errors import UserError
from cnnlab.report.build import assemble
from cnnlab.report.cells import ReportedCell, read_cell_of
from cnnlab.report.command import Options, write
from cnnlab.report.content import Report
from cnnlab.report.differing import differing
from cnnlab.report.factors import Factors
from cnnlab.report.image_tests import compare_images
from cnnlab.report.levels import shown
from cnnlab.report.probability import p_value
from cnnlab.report.wanted import Wanted
from cnnlab.report.wording import difference, value
from cnnlab.study.status import RUNS

SHOWN = ("test/accuracy", "test/loss", "val/accuracy", "val/loss", "train/accuracy", "train/loss")


def compare(arguments: Sequence[str]) -> None:
    """
    Raises:
        UserError: one of them is no folder of a run, has not begun, or they are the same.
    """
    parser = Options("compare")
    parser.add_argument("runs", nargs="*", type=Path)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args(list(arguments))
    if len(options.runs) != 2:
        raise UserError(f"compare: it wants the folders of two runs, and was given {len(options.runs)}")
    first, second = (require_run(folder) for folder in options.runs)
    if first.folder.resolve() == second.folder.resolve():
        raise UserError(f"compare: {first.folder} and {second.folder} are the same run")
    console = Console(highlight=False)
    for which, cell in (("first", first), ("second", second)):
        console.print(f"{which + ':':8}{cell.folder} ({cell.state})", soft_wrap=True, markup=False)
    console.print(configurations(first, second))
    console.print(metrics(first, second))
    files = [cell.folder / "predictions.npz" for cell in (first, second)]
    if all(file.exists() for file in files):
        try:
            console.print(images(files[0], files[1]), markup=False)
        except UserError as error:  # damaged, or of other images: all else can be compared
            console.print(f"! {error}", style="yellow", soft_wrap=True, markup=False)
    folder = options.output or RUNS / "compare" / f"{first.folder.name}-and-{second.folder.name}"[:200]
    page = write(side_by_side(first, second, folder), folder)
    console.print(f"written: {page}", soft_wrap=True, markup=False)


def require_run(folder: Path) -> ReportedCell:
    """A run as its folder tells it.

    Raises:
        UserError: it is none, or it cannot be read.
    """
    if not (folder / "status.json").is_file():
        raise UserError(f"compare {folder}: it is not the folder of a run (there is no status.json in it)")
    cell = read_cell_of(folder)
    if not cell.config:
        raise UserError(f"compare {folder}: {cell.state}, {cell.why or 'it has no configuration'}")
    return cell


def configurations(first: ReportedCell, second: ReportedCell) -> Table:
    """The keys whose values differ, those without effect left out."""
    heads = (Column(name, overflow="fold") for name in ("key", "first", "second"))
    table = Table(*heads, box=None, padding=(0, 2, 0, 0))
    for key, (one, other) in differing([first.config, second.config]).items():
        if not any(key == idle or key.startswith(f"{idle}.") for idle in WITHOUT_EFFECT):
            table.add_row(Text(key), Text(shown(one)), Text(shown(other)))
    if not table.row_count:
        table.add_row(Text("their configurations are the same"), "", "")
    return table


def metrics(first: ReportedCell, second: ReportedCell) -> Table:
    """The figures of both, and the second minus the first."""
    heads = (Column(name, justify="right") for name in ("first", "second", "second - first"))
    table = Table("metric", *heads, box=None, padding=(0, 2, 0, 0))
    for metric in SHOWN:
        one, other = first.value(metric), second.value(metric)
        if one is not None or other is not None:
            both = one is not None and other is not None
            change = difference(metric, (other or 0) - (one or 0)) if both else ""
            table.add_row(metric, _measured(first, metric), _measured(second, metric), change)
    return table


def _measured(cell: ReportedCell, metric: str) -> str:
    """With a word where it is what a guess would reach, since the run diverged."""
    number = cell.value(metric)
    return f"{value(metric, number)}{' (diverged: chance)' if number is not None and cell.state == 'diverged' else ''}"


def images(first: Path, second: Path) -> str:
    """McNemar's test in a sentence."""
    test = compare_images(first, second)
    said = difference("accuracy", -test["difference"])
    low, high = (difference("accuracy", -end, unit=False) for end in (test["high"], test["low"]))
    p = p_value(test["p"])
    p = p if p.startswith("<") else f"= {p}"
    return (
        f"of {test['images']:,} test images only the first gets {test['only_first']:,} right, only the second "
        f"{test['only_second']:,}: {said} [{low}, {high}] by bootstrap over images, McNemar's p {p}. "
        "This is about these two trained networks: another seed may say otherwise."
    )


def side_by_side(first: ReportedCell, second: ReportedCell, folder: Path) -> Report:
    """A report of two conditions with one cell each."""
    names = [first.folder.name, second.folder.name]
    if names[0] == names[1]:
        names = [str(first.folder), str(second.folder)]
    factors = Factors(levels={"run": names}, of=[{"run": name} for name in names])
    return assemble(f"{names[0]} and {names[1]}", [first, second], factors, Wanted(folder))
