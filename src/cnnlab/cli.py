"""The command line: finds the command, runs it, tells errors in a line."""

import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn

from cnnlab import __version__
from cnnlab.commands import COMMANDS
from cnnlab.errors import UserError, did_you_mean
from cnnlab.help import HELP, HELP_OF


def main() -> None:
    """Runs the command line; exits with 0 if it did what was asked, 1 if not, 2 if the command is not known."""
    if "_ARGCOMPLETE" in os.environ:  # a shell asks what may follow
        from cnnlab.completion import answer

        answer(COMMANDS)
    command, *arguments = sys.argv[1:] or ["--help"]
    if command in ("-h", "--help", "help"):
        print(HELP, end="")
    elif command == "--version":
        print(__version__)
    elif command in HELP_OF and {"-h", "--help"} & set(arguments):
        print(HELP_OF[command], end="")
    elif command in COMMANDS:
        if "--quiet" in arguments:
            arguments = quietened(command, [argument for argument in arguments if argument != "--quiet"])
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
    logging.raiseExceptions = False  # a full disk is told by what fails for it, not by each line of the log
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


def quietened(command: str, arguments: list[str]) -> list[str]:
    """Has warnings and errors alone be told, on stderr, by this process and all that it starts."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.environ["CNNLAB_QUIET"] = "1"
    if command != "train":
        return arguments
    console = "hydra.job_logging.handlers.console"
    return [*arguments, f"{console}.stream=ext://sys.stderr", f"{console}.level=WARNING"]


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
