"""Tries the claims of the textbooks: trains the ablations that have a card (conf/ablation, your own included), judges.

python scripts/claims.py [name ...] [--jobs 2] [--readme] [--judge]

The same command again goes on where it stopped. Exits with 1 if a study could not be finished, whatever the verdicts.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from cnnlab.atomic import write_text
from cnnlab.cli import report_errors
from cnnlab.conf import conf_folder
from cnnlab.errors import UserError, refusal
from cnnlab.markers import put_between
from cnnlab.study.claims import Claim, read_claims
from cnnlab.study.claims_page import markdown_table, page, printed
from cnnlab.study.judge import Judgement, judge
from cnnlab.study.record import RECORD

REPOSITORY = Path(__file__).parents[1]
STOPPED = (130, 143)  # by Ctrl-C, by SIGTERM


def main() -> None:
    """Trains, judges, prints, writes."""
    claims = read_claims(conf_folder() / "ablation", Path("conf", "ablation"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="name", help="of a claim (default: all)")
    parser.add_argument("--jobs", default="auto", help="cells at once (default: as cnnlab train -m)")
    parser.add_argument("--judge", action="store_true", help="trains nothing, judges what is there")
    parser.add_argument("--readme", action="store_true", help="also writes the README's table")
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in claims:
            raise UserError(refusal("claim", name, claims))
    chosen = [claims[name] for name in arguments.names or claims]
    console = Console(highlight=False, markup=False)
    if not arguments.judge:
        train(chosen, arguments.jobs, console)
    writes = arguments.readme or not arguments.names
    judged = {
        claim.name: judge(study_of(claim), claim) for claim in (claims.values() if writes else chosen) if begun(claim)
    }
    console.print(printed([judged[claim.name] for claim in chosen if claim.name in judged]))
    if writes:
        write(list(claims.values()), judged, arguments.readme, console)
    if unfinished := [one.name for one in chosen if one.name not in judged or judged[one.name].unfinished]:
        raise UserError(f"not finished: {', '.join(unfinished)}. The same command again goes on.")


def study_of(claim: Claim) -> Path:
    """Where its cells lie."""
    return Path("runs", f"claims-{claim.name}")


def begun(claim: Claim) -> bool:
    """Whether there is anything to judge."""
    return (study_of(claim) / RECORD).exists()


def train(claims: Sequence[Claim], jobs: str, console: Console) -> None:
    """One study after another; what is done is kept. One that fails does not stop the rest."""
    started = time.monotonic()
    for number, claim in enumerate(claims):
        spent = time.monotonic() - started
        to_go = f", about {spent / number * (len(claims) - number) / 60:.0f} minutes to go" if number else ""
        console.print(f"[{number + 1}/{len(claims)}] {claim.name}{to_go}", style="bold", soft_wrap=True)
        words = [
            "train",
            "-m",
            f"ablation={claim.name}",
            f"study={study_of(claim).name}",
            f"hydra.launcher.jobs={jobs}",
        ]
        exit_code = finished([sys.executable, "-m", "cnnlab", *words])
        if exit_code in STOPPED:
            sys.exit(exit_code)


def finished(command: list[str]) -> int:
    """Runs a command to its end, also if we are told to stop: it has cells to end in good order."""
    with subprocess.Popen(command) as process:
        try:
            return process.wait()
        except BaseException:
            process.terminate()
            raise


def write(claims: Sequence[Claim], judged: dict[str, Judgement], readme: bool, console: Console) -> None:
    """docs/claims.md, with all that has been tried, not this time only; the README's table."""
    judgements = [judged[claim.name] for claim in claims if claim.name in judged]
    not_run = [claim for claim in claims if claim.name not in judged]
    file = REPOSITORY / "docs" / "claims.md"
    write_text(file, page(judgements, not_run, datetime.now(tz=UTC).date()))
    console.print(f"written: {file}", soft_wrap=True)
    if readme:
        file = REPOSITORY / "README.md"
        table = markdown_table(judgements, "docs/claims.md")
        write_text(file, put_between(file.read_text(encoding="utf-8"), "claims", table))
        console.print(f"written: {file}", soft_wrap=True)


if __name__ == "__main__":
    report_errors(main)
