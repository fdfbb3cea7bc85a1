"""`cnnlab bench start`: how long commands take before they do anything, and the memory of a run and of a grid."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

import numpy as np
import psutil
import torch
from rich.console import Console
from rich.table import Column, Table

from cnnlab.atomic import write_json, write_text
from cnnlab.bench.arguments import parted, whole_number
from cnnlab.bench.headlines import Headline
from cnnlab.bench.paired import in_turns
from cnnlab.conf import composed, register
from cnnlab.environment import environment
from cnnlab.errors import UserError

COUNTS = {"rounds": 5}
PYTHON = sys.executable
CNNLAB, TEMPLATE, BARE = "cnnlab", "cnnlab.bench.template", "cnnlab.bench.bare"
HYDRA = "python -c 'import hydra'"
RUN = ("trainer.max_epochs=1", "trainer.accelerator=cpu", "trainer.devices=1")
GRID = ("-m", "seed=range(4)", "hydra.launcher.jobs=2", "trainer.max_epochs=5", "study=grid")
GLANCE = 0.2  # seconds between looks at memory
MIB = 2**20
Measured = dict[str, dict[str, list[float]]]  # by what is measured, then by who


def bench_start(arguments: list[str]) -> None:
    """Measures, prints and writes what `cnnlab bench --help` says.

    Raises:
        UserError: an argument is not legal, or a command did not come to its end.
    """
    own, words = parted(arguments, COUNTS)
    rounds = whole_number("rounds", own.get("rounds", str(COUNTS["rounds"])))
    register()
    runs_dir = Path(composed(*words)["runs_dir"])
    with TemporaryDirectory(prefix="cnnlab-bench-") as folder:
        kinds = contenders(folder)
        measured: Measured = {}
        for kind, who in kinds.items():
            if kind != "seconds of --help":
                for measure in who.values():  # what is read from the disk is in its cache then
                    measure()
            measured[kind] = {name: [] for name in who}
            for name in in_turns(who, rounds):
                measured[kind][name].append(who[name]())
        shared = grid_memory([PYTHON, "-m", "cnnlab", "train", *GRID, *RUN[1:], f"runs_dir={folder}/grid"])
    report(measured, shared, runs_dir / "bench" / "start", rounds)


def contenders(folder: str) -> dict[str, dict[str, Callable[[], float]]]:
    """What is measured, of whom."""
    ours = ("train", *RUN, f"runs_dir={folder}")
    return {
        "seconds of --help": {
            HYDRA: partial(seconds, ["-c", "import hydra"]),
            "cnnlab --help": partial(seconds, ["-m", CNNLAB, "--help"]),
            "cnnlab train --help": partial(seconds, ["-m", CNNLAB, "train", "--help"]),
            "template --help": partial(seconds, ["-m", TEMPLATE, "--help"]),
        },
        "seconds to the first step": {
            "torch alone": partial(first_step, BARE),
            "cnnlab train": partial(first_step, CNNLAB, *ours),
            "template": partial(first_step, TEMPLATE),
        },
        "MiB at most, digits": {
            "cnnlab train": partial(peak_memory, ["-m", CNNLAB, *ours]),
            "template": partial(peak_memory, ["-m", TEMPLATE]),
        },
    }


def run(command: list[str]) -> str:
    """What it printed.

    Raises:
        UserError: it failed.
    """
    ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if ran.returncode:
        raise UserError(f"{' '.join(command[1:])} failed:\n{ran.stdout[-2000:]}")
    return ran.stdout


def seconds(arguments: list[str]) -> float:
    """From its start to its end."""
    begun = time.perf_counter()
    run([PYTHON, *arguments])
    return time.perf_counter() - begun


def first_step(module: str, *arguments: str) -> float:
    """From the start of its process to the end of its first optimizer step."""
    said = run([PYTHON, "-m", "cnnlab.bench.first_step", str(time.time()), module, *arguments])
    found = re.search(r"first step after (\S+) s", said)
    if not found:
        raise UserError(f"{module} made no step:\n{said[-2000:]}")
    return float(found[1])


def peak_memory(arguments: list[str]) -> float:
    """Of the process, MiB resident."""
    with TemporaryFile() as said:
        process = subprocess.Popen([PYTHON, *arguments], stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise UserError(f"{' '.join(arguments)} failed:\n{said.read().decode()[-2000:]}")
    return usage.ru_maxrss / 1024


def grid_memory(command: list[str]) -> dict[str, float]:
    """The most that a sweep's processes have at once, MiB: with shared pages counted for each, and once."""
    process = psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    most = {"resident": 0.0, "proportional": 0.0, "processes": 0.0}
    while process.poll() is None:
        sizes = []
        for one in [process, *process.children(recursive=True)]:
            try:
                sizes.append(one.memory_full_info())
            except psutil.Error:  # it has just ended
                continue
        if sum(size.pss for size in sizes) > most["proportional"] * MIB:
            resident, proportional = sum(size.rss for size in sizes), sum(size.pss for size in sizes)
            most = {"resident": resident / MIB, "proportional": proportional / MIB, "processes": float(len(sizes))}
        time.sleep(GLANCE)
    if process.returncode:
        raise UserError(f"{' '.join(command[1:])} failed")
    return most


def report(measured: Measured, shared: dict[str, float], folder: Path, rounds: int) -> None:
    """Prints and writes medians, ratios and headlines."""
    console, lines, headlines = Console(highlight=False, markup=False), [], []
    for kind, values in measured.items():
        names = list(values)
        baselines = names[:1] + names[-1:] if len(names) > 2 else names[-1:]
        table = Table("", Column(kind, justify="right"), *(Column(f"/ {name}", justify="right") for name in baselines))
        lines += ["", f"| | {kind} | {' | '.join(f'/ {name}' for name in baselines)} |"]
        lines.append("|---|" + "---|" * (1 + len(baselines)))
        for name, own in values.items():
            ratios = {other: float(np.median(np.divide(own, values[other]))) for other in baselines}
            middle = float(np.median(own))
            cells = [f"{middle:,.0f}" if middle >= 100 else f"{middle:.2f}", *(f"{r:.2f}" for r in ratios.values())]
            table.add_row(name, *cells)
            lines.append(f"| {name} | {' | '.join(cells)} |")
            if name.startswith("cnnlab"):
                unit, _, what = kind.partition(" ")
                headlines += [
                    Headline(f"{name}: {what}".replace(": of --help", ""), middle, unit, other, value, "lower", rounds)
                    for other, value in ratios.items()
                ]
        console.print(table)
    share = shared["proportional"] / shared["resident"]
    said = (
        f"a sweep with two cells at once: {shared['processes']:.0f} processes, {shared['resident']:,.0f} MiB resident, "
        f"of which {shared['proportional']:,.0f} MiB where shared pages count once ({share:.2f})"
    )
    lines += ["", said]
    console.print(said, soft_wrap=True)
    write_text(folder / "table.md", "\n".join(lines[1:]) + "\n")
    figures = {
        "command": ["cnnlab", "bench", "start"],
        "rounds": rounds,
        "measured": measured,
        "grid_memory_mib": shared,
        "headlines": [headline.json() for headline in headlines],
        "environment": environment(torch.device("cpu")),
    }
    write_json(folder / "bench.json", figures)
    console.print(f"folder: {folder}: table.md, bench.json", soft_wrap=True)
