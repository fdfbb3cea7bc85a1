"""A command that is given again and again, and what strikes it."""

import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

import psutil

from cnnlab.errors import UserError
from cnnlab.run import Run

PATIENCE = 400.0  # seconds in which whatever is waited for must come
SOON = 1.5  # seconds in which a fault strikes after something runs, at most

Fault = Callable[["Chaos", float], str]  # strikes after so many seconds, and says where, or nothing


class Chaos:
    """A command that is given again and again, and what strikes it and the files of its study.

    words: of the command. data: the folder of its images.
    """

    def __init__(self, here: Path, study: str, words: list[str], data: Path, seed: int) -> None:
        self.here, self.words, self.data = here, [*words, f"study={study}"], data
        self.study = here / "runs" / study
        self.draw = random.Random(seed)
        self.command: subprocess.Popen[bytes] | None = None
        self.struck: list[str] = []
        self.lives: list[str] = []  # what each command said

    def strike(self, count: int, kinds: Sequence[Fault]) -> None:
        """So many faults, each of a kind and at a moment that is drawn."""
        for number in range(count):
            where = ""
            while not where:  # else there was nothing to strike yet
                kind, moment = self.draw.choice(kinds), self.draw.uniform(0, SOON)
                where = kind(self, moment)
            name = kind.__name__.replace("_", " ")
            self.tell(f"{number + 1:3} {name:26} {where}; {self.done()} done")

    def tell(self, line: str) -> None:
        print(line, flush=True)  # pytest shows it if the test fails
        self.struck.append(line)

    def done(self) -> int:
        return len(list(self.study.glob("*/result.json")))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leaves nothing behind."""
        if self.command is not None:
            self.command.terminate()
            self.command.wait()

    def begin(self) -> subprocess.Popen[bytes]:
        """The command, which is begun again if it came to its end; then what it named is deleted, as it says."""
        if self.command is not None and self.command.poll() is None:
            return self.command
        self.ended()
        log = self.here / f"said-{len(self.lives)}"
        with log.open("wb") as file:
            self.command = subprocess.Popen(
                [sys.executable, "-m", "cnnlab", "train", "-m", *self.words],
                cwd=self.here,
                start_new_session=True,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        return self.command

    def ended(self) -> int:
        """Waits for the command, and does what it says is to be done."""
        if self.command is None:
            return 0
        code = self.command.wait(PATIENCE)
        self.command = None
        said = (self.here / f"said-{len(self.lives)}").read_text()
        self.lives.append(said)
        for file in re.findall(r"(\S+\.json)[: ].*Delete it, and the run starts anew", said):
            (self.here / file).unlink(missing_ok=True)
        return code

    def end(self) -> int:
        """The exit code of the command that is left alone."""
        self.begin()
        return self.ended()

    def cells(self) -> list[Path]:
        return sorted(path.parent for path in self.study.glob("*/status.json"))

    def running(self) -> dict[Path, int]:
        """Cells in training, and their processes."""
        return {folder: pid for folder in self.cells() if (pid := pid_of(folder)) is not None}

    def some_cell(self) -> tuple[Path, int]:
        """One that is in training, as soon as there is one. Where all are done, some folders are deleted before."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if running := self.running():
                return self.draw.choice(list(running.items()))
            if self.command is None or self.command.poll() is not None:
                if (done := self.cells()) and len(done) == self.done():
                    for folder in self.draw.sample(done, len(done) // 2):
                        shutil.rmtree(folder)
                    self.tell(f"    (half of the {len(done)} folders, all done, deleted)")
                self.begin()
            time.sleep(0.02)
        raise TimeoutError(f"no cell was trained: {self.lives[-1:]}")


def pid_of(folder: Path) -> int | None:
    """Of the process that trains there."""
    try:
        status = Run(folder).status
    except UserError:
        return None
    pid = status.get("pid", 0)
    return pid if status.get("state") == "running" and psutil.pid_exists(pid) else None
