"""`cnnlab bench grid`: cells a minute of a sweep, against other ways to train the same cells."""

from pathlib import Path

import torch
from rich.console import Console

from cnnlab.bench.arguments import parted, whole_number
from cnnlab.bench.empty import seconds_of_an_empty_cell
from cnnlab.bench.paired import Rates, take_turns
from cnnlab.bench.report import compare
from cnnlab.bench.sweeps import Sweeps
from cnnlab.check import check
from cnnlab.conf import composed, register
from cnnlab.data.download import find
from cnnlab.data.idx import FashionMnist
from cnnlab.environment import environment
from cnnlab.errors import UserError
from cnnlab.run import Config

COUNTS = {"rounds": 1, "cells": 16, "jobs": 2, "fresh": 4}
OURS = ("seed", "study", "runs_dir", "hydra/launcher", "hydra.launcher.jobs")  # what contenders differ in, or cells
# 10,000 training images, 6,000 for validation, 10,000 for the test
REAL = ("datamodule=fashion_mnist", "datamodule.fraction=0.1851")
LIKE_REAL = (
    "datamodule=synthetic",
    "datamodule.in_channels=1",
    "datamodule.image_size=28",
    "datamodule.mean=[0.5]",
    "datamodule.std=[0.25]",
    "datamodule.source.train_images=16000",
    "datamodule.source.test_images=10000",
    "datamodule.val_fraction=0.375",
)


def bench_grid(arguments: list[str]) -> None:
    """Measures, prints and writes what `cnnlab bench --help` says.

    Raises:
        UserError: an argument, or what is composed from them, is not legal; or a cell did not come to its end.
    """
    own, words = parted(arguments, COUNTS)
    counts = COUNTS | {key: whole_number(key, value) for key, value in own.items()}
    named = {word.split("=")[0] for word in words}
    register()
    if taken := sorted(named & set(OURS)):
        raise UserError(f"{taken[0]}: the bench sets it itself")
    if "trainer.max_epochs" not in named:
        words = ["trainer.max_epochs=1", *words]
    if "datamodule" not in named:
        words = [*(REAL if fashion_mnist_is_here() else LIKE_REAL), *words]
    config = composed(*words)
    check(config)
    sweeps = Sweeps(words, counts["cells"], counts["jobs"], min(counts["fresh"], counts["cells"]))
    sweeps.warm_up()
    a_second = take_turns(sweeps.contenders(), counts["rounds"], warm_up=False)
    report(a_second, config, sweeps, counts, seconds_of_an_empty_cell(config))


def fashion_mnist_is_here() -> bool:
    """Whether it needs no download."""
    folders = [Path(composed("datamodule=fashion_mnist")["datamodule"]["data_dir"]), *FashionMnist.elsewhere]
    return all(find(name, folders) for name in FashionMnist.md5)


def report(a_second: Rates, config: Config, sweeps: Sweeps, counts: dict[str, int], empty: float) -> None:
    """Prints and writes cells a minute, their ratios, and what an empty cell costs."""
    a_minute = Rates({name: [60 * rate for rate in rates] for name, rates in a_second.rates.items()})
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    epochs = config["trainer"]["max_epochs"]
    title = f"{sweeps.cells} cells, {config['model']['name']} on {config['datamodule']['name']}, {epochs} epochs"
    remarks = [
        f"an empty cell costs {empty:.3f} s once the server is up",
        f"fresh processes: measured on {sweeps.fresh} of the {sweeps.cells} cells",
    ]
    figures = {
        "command": ["cnnlab", "bench", "grid", *sweeps.words],
        **counts,
        "cells_per_minute": a_minute.rates,
        "empty_cell_seconds": empty,
        "environment": environment(device),
    }
    folder = Path(config["runs_dir"], "bench", "grid")
    compare(
        a_minute,
        list(a_minute.rates),
        next(iter(a_minute.rates)),
        "cells/min",
        f"{title}, {device.type}",
        folder,
        figures,
    )
    for remark in remarks:
        Console(highlight=False, markup=False).print(remark, soft_wrap=True)
