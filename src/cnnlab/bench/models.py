"""`cnnlab bench models`: how fast each network trains and infers, and how near to the machine's limit."""

import os
from pathlib import Path
from typing import Any

from rich.console import Console

from cnnlab.bench.alone import alone
from cnnlab.bench.arguments import parted, positive_number, whole_number
from cnnlab.bench.models_report import report, row_of
from cnnlab.bench.networks import CPU_BATCH, GPU_BATCH, configurations
from cnnlab.conf import register
from cnnlab.errors import UserError
from cnnlab.launch.places import gpus_here, on_gpus
from cnnlab.track import tracked

OWN = {"models": "all", "batch_size": "", "seconds": "2"}


def bench_models(arguments: list[str]) -> None:
    """Measures, prints and writes what `cnnlab bench --help` says.

    Raises:
        UserError: an argument, or what is composed from them, is not legal; or no network could be measured.
    """
    own, words = parted(arguments, OWN)
    own = OWN | own
    seconds = positive_number("seconds", own["seconds"])
    register()
    (first,) = configurations("lenet5", words, CPU_BATCH).values()
    on_gpu = on_gpus(first["trainer"], gpus_here(dict(os.environ)))
    batch_size = whole_number("batch_size", own["batch_size"] or str(GPU_BATCH if on_gpu else CPU_BATCH))
    configs = configurations(own["models"], words, batch_size)
    before = alone("peak", first, seconds)
    if "error" in before:
        raise UserError(f"the matrix product could not be measured: {before['error']}")
    turns: dict[str, dict[str, Any]] = {}
    for name in tracked(configs, len(configs), "networks"):
        turns[name] = alone("network", configs[name], seconds)
        if "error" in turns[name]:
            Console(stderr=True, highlight=False, markup=False).print(f"{name}: {turns[name]['error']}", soft_wrap=True)
    peaks = [turn["peak"] for turn in (before, alone("peak", first, seconds)) if "peak" in turn]
    rows = [row_of(name, turn, configs[name], max(peaks)) for name, turn in turns.items()]
    figures = {
        "command": ["cnnlab", "bench", "models", *arguments],
        "seconds": seconds,
        "precision": first["trainer"]["precision"],
        "matrix_product_flops_per_second": peaks,
        "environment": before["environment"],
    }
    report(rows, figures, Path(first["runs_dir"], "bench", "models"))
    if all("error" in turn for turn in turns.values()):
        raise UserError(f"no network could be measured; the first one: {next(iter(turns.values()))['error']}")
