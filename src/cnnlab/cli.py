"""The commands."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn

from cnnlab import __version__
from cnnlab.errors import UserError, did_you_mean
from cnnlab.help import HELP, HELP_OF, TRAIN_HELP


def main() -> None:
    """Runs the command line; exits with 0 if it did what was asked, 1 if not, 2 if the command is not known."""
    command, *arguments = sys.argv[1:] or ["--help"]
    if command in ("-h", "--help", "help"):
        print(HELP, end="")
    elif command == "--version":
        print(__version__)
    elif command in HELP_OF and {"-h", "--help"} & set(arguments):
        print(HELP_OF[command], end="")
    elif command in COMMANDS:
        report_errors(lambda: COMMANDS[command](arguments))
    else:
        print(
            f"cnnlab: there is no command {command}.{did_you_mean(command, COMMANDS)} Try cnnlab --help",
            file=sys.stderr,
        )
        sys.exit(2)


def report_errors(work: Callable[[], None]) -> None:
    """Prints what the user can mend in a line or two, and lets every other error show where it came from."""
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, stopped)
    try:
        require_place()
        work()
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        from cnnlab.explain import explain  # imports Hydra

        words = explain(error)
        if words is None:
            raise
        print(f"cnnlab: {words}", file=sys.stderr)
        sys.exit(1)


def require_place() -> None:
    """Raises a UserError if the working directory was deleted."""
    try:
        Path.cwd()
    except FileNotFoundError as error:
        raise UserError("the working directory does not exist any more: cd to another one") from error


def stopped(number: int, _: FrameType | None) -> NoReturn:
    """Ends the process with 128 + the signal, unlike Lightning, which would end with 0 or 1."""
    print(f"\nstopped by {signal.Signals(number).name}", file=sys.stderr)
    raise SystemExit(128 + number)


def train(arguments: list[str]) -> None:
    """Trains one cell, or with -m a sweep of them."""
    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors reach report_errors instead of Hydra's printer
    import hydra

    from cnnlab import conf
    from cnnlab.sweep.arguments import require_sweep, with_pieces, with_study
    from cnnlab.task import Task

    if {"-h", "--help"} & set(arguments):
        print(TRAIN_HELP + conf.table_of_choices())
        return
    arguments = conf.as_root_keys(arguments)
    conf.refuse_lists(arguments)
    conf.register(arguments)
    require_sweep(arguments)
    sys.argv = ["cnnlab train", *with_study(with_pieces(arguments))]
    errors: list[Exception] = []
    hydra.main(version_base="1.3", config_path=str(conf.conf_folder()), config_name="train")(Task(errors))()
    if errors:
        raise errors[0]


def plan(arguments: list[str]) -> None:
    """Says what `train -m` with the same arguments would train, and what it would take; trains nothing."""
    from cnnlab.sweep.arguments import as_plan

    if "--wandb-sweep" in arguments:
        from cnnlab.sweep.wandb_sweep import write_sweep

        write_sweep(arguments)
        return
    train(as_plan(arguments))


def status(arguments: list[str]) -> None:
    """Prints how studies are getting on."""
    from cnnlab.study.status_command import status as show

    show(arguments)


def report(arguments: list[str]) -> None:
    """Writes what a study shows: tables, tests, plots, a page."""
    from cnnlab.report.command import report as show

    talk()
    show(arguments)


def dashboard(arguments: list[str]) -> None:
    """Builds what W&B shows of a study."""
    from cnnlab.report.dashboard_command import dashboard as show

    talk()
    show(arguments)


def compare(arguments: list[str]) -> None:
    """Puts two runs side by side."""
    from cnnlab.report.compare import compare as show

    show(arguments)


def models(arguments: list[str]) -> None:
    """Prints the networks as a table."""
    from cnnlab.zoo import show

    show(arguments)


def data(arguments: list[str]) -> None:
    """Prints what a data set is like, and draws it."""
    from cnnlab import conf

    require_overrides(arguments)
    conf.register(arguments)
    config, augment = conf.composed(*arguments), conf.chosen("augment", *arguments)
    from cnnlab.overview import show  # imports torch

    talk()
    show(config, augment)


def bench(arguments: list[str]) -> None:
    """Measures a part of cnnlab against what one would have without it."""
    from cnnlab.bench.command import bench as measure

    measure(arguments)


def require_overrides(arguments: list[str]) -> None:
    """Raises a UserError that names the first argument that is no group=choice or key=value."""
    if odd := [argument for argument in arguments if "=" not in argument or argument.startswith("-")]:
        raise UserError(f"{odd[0]}: it is neither group=choice nor key=value")


def talk() -> None:
    """What the program logs is printed, as in training."""
    import logging

    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("cnnlab").setLevel(logging.INFO)


COMMANDS: dict[str, Callable[[list[str]], None]] = {
    "train": train,
    "plan": plan,
    "status": status,
    "report": report,
    "dashboard": dashboard,
    "compare": compare,
    "data": data,
    "bench": bench,
    "models": models,
}
