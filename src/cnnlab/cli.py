"""The commands."""

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

from cnnlab import __version__
from cnnlab.errors import UserError, did_you_mean

HELP = """cnnlab: compare classic CNNs honestly.

  cnnlab train                                              LeNet-5 on handwritten digits, in seconds
  cnnlab train model=resnet20 datamodule=fashion_mnist      another network, other data
  cnnlab train model=vgg16 optim=nesterov optim.lr=0.01     another optimizer
  cnnlab train 'regularizer=[none,dropout]'                 nothing but dropout; [all,no_dropout] leaves it out
  cnnlab train -m model=lenet5,resnet20 'seed=range(5)'     a grid; the same command again goes on with it

  cnnlab train --help         all groups with their choices, and the configuration
  cnnlab train --cfg job      the composed configuration of a command, without running it
  cnnlab --version
"""


def main() -> None:
    """Runs the command line; exits with 0 if it did what was asked, 1 if not, 2 if the command is not known."""
    command, *arguments = sys.argv[1:] or ["--help"]
    if command in ("-h", "--help", "help"):
        print(HELP, end="")
    elif command == "--version":
        print(__version__)
    elif command in COMMANDS:
        report_errors(lambda: COMMANDS[command](arguments))
    else:
        print(f"cnnlab: there is no command {command}.{did_you_mean(command, COMMANDS)} Try cnnlab --help", file=sys.stderr)
        sys.exit(2)


def report_errors(work: Callable[[], None]) -> None:
    """Prints what the user can mend in a line or two, and lets every other error show where it came from."""
    from cnnlab.explain import explain

    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, stopped)
    try:
        work()
    except Exception as error:
        words = explain(error)
        if words is None:
            raise
        print(f"cnnlab: {words}", file=sys.stderr)
        sys.exit(1)


def stopped(number: int, _: FrameType | None) -> NoReturn:
    """Ends the process with 128 + the signal, unlike Lightning, which would end with 0 or 1."""
    print(f"\nstopped by {signal.Signals(number).name}", file=sys.stderr)
    raise SystemExit(128 + number)


def train(arguments: list[str]) -> None:
    """Trains one cell, or with -m a sweep of them."""
    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors reach report_errors instead of Hydra's printer
    import hydra

    from cnnlab.conf import conf_folder, register
    from cnnlab.study import default_study

    register()
    if study := default_study(arguments):
        arguments = [*arguments, f"study={study}"]
    sys.argv = ["cnnlab train", *arguments]
    hydra.main(version_base="1.3", config_path=str(conf_folder()), config_name="train")(_train)()


def _train(cfg: Any) -> float:
    """Hydra's task: the value that a sweeper may maximize is val/accuracy."""
    from pathlib import Path

    from hydra.core.hydra_config import HydraConfig
    from rich.console import Console

    from cnnlab.launch.cell import train_cell

    runtime = HydraConfig.get()
    folder = Path(runtime.runtime.output_dir)
    result = train_cell(cfg, folder)
    if os.environ.get("RANK", "0") == "0":
        from cnnlab.summary import result_table

        console = Console()
        console.print(result_table(result))
        console.print(f"folder: {os.path.relpath(folder)}", soft_wrap=True, highlight=False)
        if runtime.mode is not None and runtime.mode.name == "RUN":
            model = cfg.model.name
            console.print(f"next:   cnnlab train -m model={model} regularizer=none,paper,all 'seed=range(3)'", soft_wrap=True)
    accuracy: float = result["metrics"]["val/accuracy"]
    return accuracy


COMMANDS: dict[str, Callable[[list[str]], None]] = {"train": train}

__all__ = ["UserError", "main"]
