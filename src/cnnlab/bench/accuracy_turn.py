"""One training whose accuracies are timed, as a whole command: by cnnlab, or by a template's loop."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cnnlab.errors import UserError


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
