"""`cnnlab bench accuracy`: seconds until a recipe has reached an accuracy."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cnnlab.bench.accuracy_report import report
from cnnlab.bench.arguments import parted, positive_number, whole_number
from cnnlab.bench.paired import in_turns
from cnnlab.check import check
from cnnlab.conf import composed, register
from cnnlab.errors import UserError

EXPERIMENT = "fashion_mnist_fast"
GOALS = {EXPERIMENT: 0.91, "fashion_mnist_resnet_fast": 0.93, "cifar10_fast": 0.94}
OWN = ("rounds", "goal", "workers")
SET_HERE = ("seed", "study", "runs_dir")
OURS, TEMPLATE = "cnnlab", "template's loop"


@dataclass(frozen=True)
class Turn:
    """One whole training.

    begun: when its command was started. trained: when training began. scores: when an epoch was validated, and its
    accuracy. test: accuracy in the end.
    """

    begun: float
    trained: float
    scores: list[tuple[float, float]]
    test: float

    def reached(self, goal: float) -> tuple[int, float] | None:
        """In which epoch (from 1), and when; None if never."""
        return next(((epoch, when) for epoch, (when, score) in enumerate(self.scores, 1) if score >= goal), None)

    def seconds(self, goal: float, of_command: bool = False) -> float:
        """Until then, from the start of training or of the whole command; infinite if never."""
        found = self.reached(goal)
        return found[1] - (self.begun if of_command else self.trained) if found else float("inf")

    def json(self) -> dict[str, Any]:
        """Seconds from the start of training."""
        epochs = [{"seconds": when - self.trained, "val/accuracy": score} for when, score in self.scores]
        return {"seconds_before": self.trained - self.begun, "epochs": epochs, "test/accuracy": self.test}


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
    if taken := sorted(set(named) & set(SET_HERE) - {"runs_dir"}):
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


def ours(words: list[str], seed: int) -> Turn:
    """`cnnlab train`."""

    def command(folder: Path) -> list[str]:
        clock = f"+callbacks.clock={{_target_: cnnlab.callbacks.clock.Clock, file: {folder / 'clock.jsonl'}, "
        clock += "score: val/accuracy}"
        return ["cnnlab", "train", *words, f"seed={seed}", f"runs_dir={folder}", "study=accuracy", clock]

    return timed(command, lambda folder: next(folder.rglob("result.json")), "metrics")


def template(words: list[str], workers: int, seed: int) -> Turn:
    """The same recipe and seed, with a template's loop."""

    def command(folder: Path) -> list[str]:
        return ["cnnlab.bench.accuracy_template", str(folder), str(workers), *words, f"seed={seed}"]

    return timed(command, lambda folder: folder / "test.json", None)


def timed(command: Callable[[Path], list[str]], result: Callable[[Path], Path], of_result: str | None) -> Turn:
    """Runs a module, told its folder, from start to end.

    Raises:
        UserError: it failed.
    """
    with TemporaryDirectory(prefix="cnnlab-bench-") as name:
        folder = Path(name)
        with (folder / "said").open("w+", encoding="utf-8", errors="replace") as said:
            whole = [sys.executable, "-m", *command(folder)]
            begun = time.time()
            ran = subprocess.run(whole, stdout=said, stderr=subprocess.STDOUT, check=False)
        if ran.returncode:
            text = (folder / "said").read_text(encoding="utf-8", errors="replace")
            raise UserError(f"{' '.join(whole[1:])} failed:\n{text[-2000:]}")
        found = json.loads(result(folder).read_text(encoding="utf-8"))
        lines = [json.loads(line) for line in (folder / "clock.jsonl").read_text(encoding="utf-8").splitlines()]
    scores = [(line["time"], line["score"]) for line in lines[1:]]
    return Turn(begun, lines[0]["time"], scores, (found[of_result] if of_result else found)["test/accuracy"])
