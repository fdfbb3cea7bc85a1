"""`cnnlab bench accuracy`: seconds until a recipe has reached an accuracy."""

from functools import partial
from pathlib import Path

from cnnlab.bench.accuracy_report import report
from cnnlab.bench.accuracy_turn import Turn, ours, template
from cnnlab.bench.arguments import parted, positive_number, whole_number
from cnnlab.bench.paired import in_turns
from cnnlab.check import check
from cnnlab.conf import composed, register
from cnnlab.errors import UserError

EXPERIMENT = "fashion_mnist_fast"
GOALS = {EXPERIMENT: 0.91, "fashion_mnist_resnet_fast": 0.93, "cifar10_fast": 0.94}
OWN = ("rounds", "goal", "workers")
SET_HERE = ("seed", "study")
OURS, TEMPLATE = "cnnlab", "template"


def bench_accuracy(arguments: list[str]) -> None:
    """Measures, prints and writes what `cnnlab bench --help` says.

    Raises:
        UserError: an argument, or what is composed from them, is not legal; a command failed; or nobody reached the
            goal.
    """
    own, words = parted(arguments, OWN)
    rounds = whole_number("rounds", own.get("rounds", "1"))
    workers = whole_number("workers", own.get("workers", "0"), least=0)
    named = {word.split("=")[0]: word.partition("=")[2] for word in words}
    if taken := sorted(set(named) & set(SET_HERE)):
        raise UserError(f"{taken[0]}: the bench sets it itself")
    if "experiment" not in named:
        words = [f"experiment={EXPERIMENT}", *words]
    experiment = named.get("experiment", EXPERIMENT)
    goal = goal_of(experiment, own.get("goal"))
    register()
    config = composed(*words)
    check(config)
    who = {OURS: partial(ours, words), TEMPLATE: partial(template, words, workers)}
    turns: dict[str, list[Turn]] = {name: [] for name in who}
    for name in in_turns(who, rounds):
        turns[name].append(who[name](len(turns[name])))
    folder = Path(config["runs_dir"], "bench", "accuracy" if experiment == EXPERIMENT else f"accuracy-{experiment}")
    report(turns, (OURS, TEMPLATE), goal, experiment, folder, ["cnnlab", "bench", "accuracy", *arguments])


def goal_of(experiment: str, goal: str | None) -> float:
    """What was asked for, or what the experiment is for."""
    if goal is None and experiment not in GOALS:
        raise UserError(f"experiment={experiment}: goal=0.9, or another accuracy, must be given beside it")
    value = positive_number("goal", goal) if goal is not None else GOALS[experiment]
    if value > 1:
        raise UserError(f"goal={goal}: an accuracy is more than 0 and at most 1, as 0.91")
    return value
