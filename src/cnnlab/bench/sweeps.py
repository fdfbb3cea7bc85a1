"""Ways to train the cells of a sweep, each as whole commands from their start to their end."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from cnnlab.bench.paired import Contender
from cnnlab.errors import UserError

CNNLAB = (sys.executable, "-m", "cnnlab", "train")
JOBLIB = (sys.executable, "-m", "cnnlab.bench.joblib_cells")


@dataclass(frozen=True)
class Sweeps:
    """Cells that differ in their seed.

    words: what they have in common. jobs: processes at once, where there are several. fresh: how many cells are
    trained where each has a process that begins from nothing, which takes too long for all.
    """

    words: list[str]
    cells: int
    jobs: int
    fresh: int

    def contenders(self) -> dict[str, Contender]:
        """Each trains in a folder of its own, and says how many cells it trained."""
        seeds = f"seed=range({self.cells})"
        sweep = [*CNNLAB, "-m", *self.words, "study=grid", seeds]
        ways = {
            f"cnnlab, {self.jobs} at once": [[*sweep, f"hydra.launcher.jobs={self.jobs}"]],
            "a fresh process for each cell": [[*CNNLAB, *self.words, f"seed={seed}"] for seed in range(self.fresh)],
            "Hydra's basic launcher": [[*sweep, "hydra/launcher=basic"]],
            f"joblib, {self.jobs} workers": [[*JOBLIB, str(self.cells), str(self.jobs), *self.words]],
        }
        return {name: partial(trained, commands) for name, commands in ways.items()}

    def warm_up(self) -> None:
        """Trains one cell, so that what is remembered of data is there for all contenders."""
        trained([[*CNNLAB, *self.words]])


def trained(commands: list[list[str]], run: Callable[..., "subprocess.CompletedProcess[str]"] = subprocess.run) -> int:
    """How many cells the commands have trained, one command after the other.

    Raises:
        UserError: one failed.
    """
    with TemporaryDirectory(prefix="cnnlab-bench-") as folder:
        for command in commands:
            ran = run([*command, f"runs_dir={folder}"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if ran.returncode:
                raise UserError(f"{' '.join(command[1:])} failed:\n{ran.stdout[-2000:]}")
        return len(list(Path(folder).rglob("result.json")))
