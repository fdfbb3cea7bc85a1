"""Runs the benchmarks, and writes docs/speed/ and the README's table of them; or says what has become slower.

python scripts/bench.py [name ...] [--readme] [--compare]

--compare measures anew, writes nothing, and exits with 1 if a ratio is more than a fifth worse than in docs/speed/.
"""

import argparse
import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from cnnlab.atomic import write_json, write_text
from cnnlab.bench.headlines import Headline
from cnnlab.cli import report_errors
from cnnlab.errors import UserError, refusal
from cnnlab.markers import put_between

REPOSITORY = Path(__file__).parents[1]
WRITTEN = REPOSITORY / "docs" / "speed" / "bench.json"
# all of them in less than 15 minutes of two cores
BENCHES = {
    "overhead": ["rounds=3", "steps=200"],
    "start": ["rounds=2"],
    "data": ["rounds=3"],
    "grid": ["cells=8", "fresh=2"],
    "accuracy": ["rounds=1"],
}
WHERE = ("cnnlab", "python", "torch", "lightning", "device", "cpus", "threads")
WORSE = 0.2  # than before, from which on it is told


def main() -> None:
    """What the module's docstring says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(BENCHES)}; without any, all")
    parser.add_argument("--readme", action="store_true", help="also writes the README's table")
    parser.add_argument("--compare", action="store_true", help="with what docs/speed/ has, instead of writing it")
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in BENCHES:
            raise UserError(refusal("bench", name, BENCHES))
    console = Console(highlight=False, markup=False)
    measured = {name: run(name, console) for name in arguments.names or BENCHES}
    if arguments.compare:
        compare(measured, console)
    else:
        write(measured, arguments.readme)


def run(name: str, console: Console) -> dict[str, Any]:
    """A benchmark's headlines, with the date and the machine."""
    command = ["bench", name, *BENCHES[name]]
    console.print(f"cnnlab {' '.join(command)}", style="bold")
    begun = time.monotonic()
    with TemporaryDirectory() as folder:
        ran = subprocess.run([sys.executable, "-m", "cnnlab", *command], cwd=folder, check=False)
        if ran.returncode:
            raise UserError(f"cnnlab {' '.join(command)} ended with exit code {ran.returncode}")
        (file,) = Path(folder).rglob("bench.json")
        figures = json.loads(file.read_text(encoding="utf-8"))
    return {
        "command": ["cnnlab", *command],
        "date": str(datetime.now(tz=UTC).date()),
        "seconds": round(time.monotonic() - begun),
        "headlines": figures["headlines"],
        "environment": {key: figures["environment"][key] for key in WHERE},
    }


def write(measured: dict[str, Any], readme: bool) -> None:
    """docs/speed/, in which what was not measured this time stays as it was; the README's table."""
    before = json.loads(WRITTEN.read_text(encoding="utf-8")) if WRITTEN.exists() else {}
    benches = {name: {**before, **measured}[name] for name in BENCHES if name in {**before, **measured}}
    WRITTEN.parent.mkdir(exist_ok=True)
    write_json(WRITTEN, benches)
    table = markdown(benches)
    write_text(WRITTEN.with_name("table.md"), table)
    if readme:
        file = REPOSITORY / "README.md"
        write_text(file, put_between(file.read_text(encoding="utf-8"), "bench", table))


def headlines(bench: dict[str, Any]) -> list[Headline]:
    """Of one benchmark."""
    return [Headline(**one) for one in bench["headlines"]]


def markdown(benches: dict[str, Any]) -> str:
    """A line for each headline, and under the table when and where it was measured."""
    lines = ["| | cnnlab | ratio | to | n |", "|---|--:|--:|---|--:|"]
    for bench in benches.values():
        lines += [f"| {h.what} | {h.value:,.3g} {h.unit} | {h.ratio:.2f} | {h.to} | {h.n} |" for h in headlines(bench)]
    lines.append("")
    for bench in benches.values():
        where = bench["environment"]
        on = f"{where['device']}, {where['cpus']} cores, torch {where['torch']}"
        lines.append(f"`{' '.join(bench['command'])}`: {bench['date']}, {on}.")
    return "\n".join(lines) + "\n"


def compare(measured: dict[str, Any], console: Console) -> None:
    """Prints old and new ratios.

    Raises:
        UserError: one is more than a fifth worse.
    """
    if not WRITTEN.exists():
        raise UserError(f"there is nothing to compare with: {WRITTEN} is written by `make bench`")
    before = {h.what + h.to: h for bench in json.loads(WRITTEN.read_text()).values() for h in headlines(bench)}
    table = Table("", "ratio to", Column("before", justify="right"), Column("now", justify="right"), "")
    slower = []
    for now in (h for bench in measured.values() for h in headlines(bench)):
        then = before.get(now.what + now.to)
        worse = now.worse_than(then) if then else 0.0
        if worse > WORSE:
            slower.append(f"{now.what}: {now.ratio:.2f} of {now.to}, before {then.ratio:.2f}" if then else "")
        said = "new" if then is None else f"{abs(worse):.0%} {'worse' if worse > 0 else 'better'}"
        table.add_row(now.what, now.to, f"{then.ratio:.2f}" if then else "", f"{now.ratio:.2f}", said)
    console.print(table)
    if slower:
        raise UserError(f"more than {WORSE:.0%} worse than in {WRITTEN.relative_to(REPOSITORY)}: " + "; ".join(slower))


if __name__ == "__main__":
    report_errors(main)
