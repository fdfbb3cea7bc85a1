"""What a sweep would take: cells, seconds, memory, disk."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import psutil
from rich.table import Table
from rich.text import Text

from cnnlab.launch.places import on_gpus
from cnnlab.launch.rehearsal import Rehearsed, disk_bytes, free_bytes, seconds_of
from cnnlab.quantities import duration, short, size
from cnnlab.run import Run
from cnnlab.sweep.cells import Cell
from cnnlab.sweep.design import Part

OF_MEMORY = 0.9  # that cells may take


@dataclass(frozen=True)
class Planned:
    """A cell, what is there of it, whether an earlier one is the same, and a rehearsal of its kind if it is new."""

    cell: Cell
    run: Run
    twin: bool
    rehearsed: Rehearsed | None
    anew: bool = False  # done, with other code, and on_code_change=retrain

    @property
    def state(self) -> str:
        """done, half done, a state of before, or new."""
        if self.twin:
            return "duplicate"
        if self.anew:
            return "anew"
        if self.run.done:
            return "done"
        if self.run.settled:
            return "diverged"
        if self.rehearsed and self.rehearsed.error:
            return "fails"
        return "half done" if self.run.half_done else "new"

    @property
    def measured(self) -> Rehearsed | None:
        """The rehearsal, if it went well."""
        return self.rehearsed if self.rehearsed and self.rehearsed.result else None

    @property
    def seconds(self) -> float:
        """Predicted; of a half done cell as if it began."""
        return seconds_of(self.measured, self.cell.config) if self.measured else 0.0

    @property
    def memory_bytes(self) -> int:
        """Of its process, or its GPU."""
        return int(self.measured.result["cost"]["peak_memory_bytes"]) if self.measured and self.measured.result else 0

    @property
    def disk_bytes(self) -> int:
        """Of its checkpoints and predictions."""
        return disk_bytes(self.measured, self.cell.config) if self.measured else 0


def table(planned: Sequence[Planned], refused: Sequence[tuple[Part, str]], rows: int | None) -> Table:
    """A row a cell: what varies, what is there, what it costs."""
    shown = Table(box=None, pad_edge=False)
    shown.add_column("", justify="right")
    shown.add_column("cell", overflow="fold")
    shown.add_column("state")
    for column in ("parameters", "FLOPs", "time", "memory", "disk"):
        shown.add_column(column, justify="right", no_wrap=True)
    for n, (part, _) in enumerate(refused[:rows], 1):
        shown.add_row(f"!{n}", Text(part.told), "illegal", *[""] * 5)
    for n, one in enumerate(planned[:rows], 1):
        costs = [""] * 5
        if one.measured and one.measured.result:
            cost = one.measured.result["cost"]
            sizes = [size(one.memory_bytes), size(one.disk_bytes)]
            costs = [short(cost["parameters"]), short(cost["flops"]), duration(one.seconds), *sizes]
        shown.add_row(str(n), Text(one.cell.part.told or one.cell.folder.name), one.state, *costs)
    return shown


def totals(planned: Sequence[Planned], refused: Sequence[tuple[Part, str]], excluded: int, jobs: int) -> Iterator[str]:
    """How many of each state, and what all takes together."""
    counts: dict[str, int] = {}
    for one in planned:
        counts[one.state] = counts.get(one.state, 0) + 1
    if refused:
        counts["illegal"] = len(refused)
    if excluded:
        counts["excluded"] = excluded
    yield f"{len(planned):,} {'cell' if len(planned) == 1 else 'cells'}: " + ", ".join(
        f"{count:,} {state}" for state, count in counts.items()
    )
    measured = [one for one in planned if one.measured]
    if measured:
        seconds = sum(one.seconds for one in measured)
        longest = max(one.seconds for one in measured)
        together = max(seconds / jobs, longest)
        times = f"{duration(seconds)} one after another, {duration(together)} with hydra.launcher.jobs={jobs}"
        disk = sum(one.disk_bytes for one in measured)
        memory = max(one.memory_bytes for one in measured)
        yield f"predicted: {times}; {size(memory)} of memory for the largest cell; {size(disk)} of disk"


def summary(planned: Sequence[Planned], jobs: int, gpus: Collection[str]) -> Iterator[str]:
    """What would keep the sweep from its end, a line each. gpus: of this machine."""
    there = OF_MEMORY * psutil.virtual_memory().total
    on_cpu = []
    for n, one in enumerate(planned, 1):
        if one.rehearsed and one.rehearsed.error:
            yield f"cell {n} fails: {one.rehearsed.error}"
        if not on_gpus(one.cell.config["trainer"], gpus):
            on_cpu.append(one.memory_bytes)
            if one.memory_bytes > there:
                needs = f"it needs {size(one.memory_bytes)} of memory, and {size(there)} can be had"
                yield f"cell {n} will not fit: {needs}"
    together = sum(sorted(on_cpu)[-jobs:])
    if together > there and max(on_cpu) <= there:
        needs = f"the largest {jobs} cells together need {size(together)} of memory, and {size(there)} can be had"
        yield f"{needs}: take a smaller hydra.launcher.jobs"
    needed = sum(one.disk_bytes for one in planned)
    if planned:
        free = free_bytes(planned[0].cell.study)
        if needed > free:
            yield f"the cells need {size(needed)} of disk, and {size(free)} are free"
