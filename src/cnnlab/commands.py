"""The commands; each imports what it needs when it is called, so that the others start quickly."""

import os
import sys
from collections.abc import Callable, Collection

from cnnlab.allowed import allow
from cnnlab.errors import UserError, did_you_mean
from cnnlab.help import TRAIN_HELP

# options of Hydra's that mean something here
HYDRAS = (
    *("-m", "--multirun", "-c", "--cfg", "--resolve", "-p", "--package", "-cd", "--config-dir", "-cn", "--config-name"),
    *("-i", "--info", "--hydra-help", "--experimental-rerun"),
)


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
    require_options("train", arguments, HYDRAS)
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
    require_options("plan", arguments, ("--all", "--wandb-sweep", *HYDRAS))
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


def look(arguments: list[str]) -> None:
    """Makes pictures of a trained run."""
    from cnnlab.look.command import look as show

    show(arguments)


def evaluate(arguments: list[str]) -> None:
    """Tests a trained network again, or on other images."""
    allow(arguments)
    from cnnlab.inference.eval_command import eval_command  # imports torch

    talk()
    eval_command([word for word in arguments if not word.startswith("allowed_packages=")])


def predict(arguments: list[str]) -> None:
    """Says what a trained network takes image files for."""
    allow(arguments)
    from cnnlab.inference.predict import predict as say  # imports torch

    say([word for word in arguments if not word.startswith("allowed_packages=")])


def export(arguments: list[str]) -> None:
    """Writes a trained network for other programs."""
    allow(arguments)
    from cnnlab.inference.export import export as write  # imports torch

    write([word for word in arguments if not word.startswith("allowed_packages=")])


def serve(arguments: list[str]) -> None:
    """Serves a page where a trained network is tried out."""
    allow(arguments)
    from cnnlab.serve.command import serve as show

    show([word for word in arguments if not word.startswith("allowed_packages=")])


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


def completion(arguments: list[str]) -> None:
    """Prints what makes a shell complete our words."""
    from cnnlab.completion import completion as show

    show(arguments)


def init(arguments: list[str]) -> None:
    """Writes a small project of the user's own."""
    from cnnlab.init import init as write

    write(arguments)


def require_options(command: str, arguments: list[str], known: Collection[str]) -> None:
    """Raises a UserError that names the first option that is not known; Hydra would show its own."""
    for argument in arguments:
        if argument.startswith("-") and (option := argument.partition("=")[0]) not in known:
            near = did_you_mean(option, (*known, "--quiet"))
            raise UserError(f"{command} {option}: there is no such option.{near} Try cnnlab {command} --help")


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
    "look": look,
    "eval": evaluate,
    "predict": predict,
    "export": export,
    "serve": serve,
    "data": data,
    "bench": bench,
    "models": models,
    "init": init,
    "completion": completion,
}
