"""How the cells of a study are getting on."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cnnlab.errors import UserError, did_you_mean
from cnnlab.study.record import RECORD, read_record
from cnnlab.study.state import STATES, Cell, State, number, read_cell

RUNS = Path("runs")


@dataclass(frozen=True)
class Study:
    """A study's cells, and what study.json says of them."""

    folder: Path
    record: dict[str, Any]
    cells: list[Cell]
    problem: str = ""  # with study.json

    @cached_property
    def counts(self) -> dict[State, int]:
        """Cells in each state, those without any left out."""
        counted = Counter(cell.state for cell in self.cells)
        return {state: counted[state] for state in STATES if counted[state]}

    def of(self, state: State) -> list[Cell]:
        """Those in this state; of what is done, or older, the latest first."""
        cells = [cell for cell in self.cells if cell.state == state]
        if state in ("done", "older"):
            cells.sort(key=lambda cell: -((number(cell.status.get("started")) or 0) + (cell.seconds or 0)))
        return cells

    @property
    def left(self) -> int:
        """Cells that wait for their turn, or for the same command again; what failed has come to its end."""
        return sum(self.counts.get(state, 0) for state in ("missing", "interrupted", "killed", "unreadable"))

    @property
    def at_once(self) -> int:
        """Cells that run at the same time."""
        return self.record["jobs"] or max(1, self.counts.get("running", 0))

    def mean_seconds(self) -> float | None:
        """Of a cell: of those that are done, else as those that run promise."""
        took = [cell.seconds for cell in self.cells if cell.state == "done" and cell.seconds]
        if not took:
            for cell in self.of("running"):
                told = cell.progress()
                if told["epoch"] and told["epochs"]:
                    took.append((cell.seconds or 0) * told["epochs"] / told["epoch"])
        return sum(took) / len(took) if took else None

    def eta_seconds(self) -> float | None:
        """Until nothing is left, if all cells take as long as the mean; None where that is not known."""
        mean = self.mean_seconds()
        if mean is None:
            return None
        rests = [max(0.0, mean - (cell.seconds or 0)) for cell in self.of("running")]
        return max([(self.left * mean + sum(rests)) / self.at_once, *rests, mean if self.left else 0.0])


def read_study(folder: Path) -> Study:
    """All cells: those of study.json in its order, then the others by name."""
    problem = ""
    try:
        record = read_record(folder)
    except UserError as error:
        record, problem = read_record(folder / "nothing"), str(error)
    known: dict[str, dict[str, Any]] = record["cells"]
    there = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    cells = [read_cell(folder / name, name in there, varying(name, known[name]), True) for name in known]
    for name in sorted(there - set(known)):
        if (folder / name / "status.json").exists():
            cells.append(read_cell(folder / name, True, name, not known))
    return Study(folder, record, cells, problem)


def varying(name: str, cell: dict[str, Any]) -> str:
    """'- dropout, seed=0': what a cell has that others have not, if study.json knows; else its folder's name."""
    labels = [str(level) for level in cell.get("labels", {}).values()]
    return ", ".join([*labels, *(str(override) for override in cell.get("overrides", []))]) or name


def study_folder(name: str) -> Path:
    """A folder, or the one of that name below runs/.

    Raises:
        UserError: there is none, or it holds no cells.
    """
    for folder in (Path(name), RUNS / name):
        if is_study(folder):
            return folder
        if (folder / "status.json").is_file():
            raise UserError(f"{folder} is the folder of one cell; its study is {folder.absolute().parent}")
    if Path(name).is_dir() or (RUNS / name).is_dir():
        raise UserError(f"{name} is no study: there is no study.json in it, and no folder with a status.json")
    there = [folder.name for folder in studies_below(RUNS)]
    listed = f" There are: {', '.join(there[:5])}{', ...' if len(there) > 5 else ''}" if there else ""
    raise UserError(f"there is no study {name}, as a folder or below {RUNS}.{did_you_mean(name, there)}{listed}")


def is_study(folder: Path) -> bool:
    """Whether cells are trained there, or are to be."""
    return folder.is_dir() and ((folder / RECORD).is_file() or any(folder.glob("[!.]*/status.json")))


def studies_below(folder: Path) -> list[Path]:
    """The newest first."""
    there = [path for path in folder.glob("[!.]*") if is_study(path)]
    return sorted(there, key=lambda path: path.stat().st_mtime, reverse=True)
