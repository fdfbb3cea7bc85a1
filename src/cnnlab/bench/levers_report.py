"""What `cnnlab bench levers` prints and writes."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from cnnlab.atomic import write_json, write_text
from cnnlab.bench.paired import Rates
from cnnlab.environment import environment
from cnnlab.fast import has_bf16
from cnnlab.levers import device_of
from cnnlab.run import Config

WIDE = 160  # columns, where there is no terminal that has a width


@dataclass(frozen=True)
class Measured:
    """A network's images a second with each lever in each round; which levers failed, and what trainer.fast takes.

    error: of the network itself.
    """

    name: str
    images: int  # a batch
    rates: dict[str, list[float]]
    errors: dict[str, str]
    fast: str
    error: str

    def ratio(self, lever: str) -> float | None:
        """To float32 without any lever, the first of them; None where the lever failed."""
        if lever not in self.rates:
            return None
        return Rates(self.rates).ratio(lever, next(iter(self.rates)))


def report(measured: list[Measured], levers: list[str], config: Config, figures: dict[str, Any], folder: Path) -> None:
    """A table of ratios, printed and as table.md; bench.json."""
    device = device_of(config["trainer"])
    data = config["datamodule"]
    shape = f"{data['in_channels']}x{data['image_size']}x{data['image_size']}"
    native = "bf16 of its own" if has_bf16(device) else "no bf16 of its own"
    title = f"{data['name']} {shape}, {told(device)} with {native}"
    columns = ["", "batch", "images/s", *levers, "fast turns on"]
    rows = [row for one in measured for row in rows_of(one, levers)]
    rows.append(["median", "", "", *(summary(measured, lever) for lever in levers), ""])
    remarks = [f"{one.name}: {one.error}" for one in measured if one.error]
    remarks += [f"{one.name}, {lever}: {error}" for one in measured for lever, error in one.errors.items()]
    words = (
        f"{title}; ratios of training steps' images/s to float32 without a lever, medians of {figures['rounds']} rounds"
    )
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}", *(f"| {' | '.join(row)} |" for row in rows)]
    write_text(folder / "table.md", "\n".join([f"{words}.", "", *lines, *(f"\n{remark}" for remark in remarks)]) + "\n")
    write_json(
        folder / "bench.json",
        {
            **figures,
            "networks": [{**asdict(one), "ratios": {lever: one.ratio(lever) for lever in levers}} for one in measured],
            "capability": torch.backends.cpu.get_cpu_capability() if device.type == "cpu" else "",
            "environment": environment(device),
        },
    )
    table = Table(*columns)
    for row in rows:
        table.add_row(*row)
    console = Console(highlight=False, markup=False)
    console = console if console.is_terminal else Console(highlight=False, markup=False, width=WIDE)
    console.print(words, style="bold", soft_wrap=True)
    console.print(table)
    for remark in remarks:
        console.print(remark, soft_wrap=True)
    console.print(f"folder: {folder}: table.md, bench.json", soft_wrap=True)


def told(device: torch.device) -> str:
    """Its kind, and how much of it."""
    return device.type if device.type == "cuda" else f"{device.type} ({torch.get_num_threads()} threads)"


def rows_of(one: Measured, levers: list[str]) -> list[list[str]]:
    """A network's, unless it failed."""
    if one.error:
        return [[one.name, str(one.images), "failed", *("" for _ in levers), ""]]
    first = next(iter(one.rates))
    ratios = [one.ratio(lever) for lever in levers]
    told = ["failed" if ratio is None else f"{ratio:.2f}" for ratio in ratios]
    return [[one.name, str(one.images), f"{Rates(one.rates).median(first):,.1f}", *told, one.fast]]


def summary(measured: list[Measured], lever: str) -> str:
    """The median of the networks' ratios."""
    ratios = [ratio for one in measured if not one.error and (ratio := one.ratio(lever)) is not None]
    return f"{np.median(ratios):.2f}" if ratios else ""
