"""What `cnnlab bench ddp` prints and writes."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Column, Table

from cnnlab.atomic import write_json, write_text
from cnnlab.bench.chart import curve
from cnnlab.bench.curve import Curve
from cnnlab.bench.plan import Plan
from cnnlab.bench.scaling import BACKWARD, Links, Prediction, predict
from cnnlab.environment import environment

MEASURED = ("ranks", "images/s", "min..max", "speed-up", "ideal", "efficiency", "all-reduce share")
PREDICTED = ("GPUs", "links between nodes", "all-reduce", "speed-up", "efficiency")
WIDE = 120  # columns, where there is no terminal that has a width


@dataclass(frozen=True)
class Report:
    """The plan and what came of it; size: of the gradients, in bytes."""

    plan: Plan
    turns: Curve
    size: int
    command: list[str]

    def give(self) -> None:
        """Prints the tables, and writes them, the figures and the chart."""
        config = self.plan.config
        folder = Path(config["runs_dir"], "bench", f"ddp-{config['model']['name']}-{config['datamodule']['name']}")
        width = Console().width if Console().is_terminal else WIDE
        console = Console(highlight=False, markup=False, width=width)
        texts: list[str] = []
        files = "table.md, bench.json"
        parts: list[tuple[str, tuple[str, ...], list[list[str]], str]] = []
        if self.plan.rounds:
            parts.append((self.title(), MEASURED, self.measured_rows(), self.bare_all_reduces()))
        parts.append((self.predicted_title(), PREDICTED, self.predicted_rows(), self.assumptions()))
        for title, columns, rows, note in parts:
            table = Table(*(Column(name, justify="right") for name in columns))
            for row in rows:
                table.add_row(*row)
            console.print(title, style="bold", soft_wrap=True)
            console.print(table)
            console.print(note, soft_wrap=True)
            cells = (columns, ["---:"] * len(columns), *rows)
            texts += [title, "", *(f"| {' | '.join(row)} |" for row in cells), "", note, ""]
        write_text(folder / "table.md", "\n".join(texts))
        write_json(folder / "bench.json", self.figures())
        if self.plan.rounds:
            curve(self.turns.rates(), self.title(), folder / "chart.png")
            files += ", chart.png, chart.svg"
        console.print(f"folder: {folder}: {files}", soft_wrap=True)

    def title(self) -> str:
        """What was measured."""
        where = "GPUs" if self.plan.cuda else f"CPU, {self.plan.threads} thread(s) a rank"
        return f"{self.what()}, {where}; medians of {self.plan.rounds} rounds"

    def what(self) -> str:
        """Network, images, batch."""
        data, trainer = self.plan.config["datamodule"], self.plan.config["trainer"]
        shape = f"{data['in_channels']}x{data['image_size']}x{data['image_size']}"
        precision = "" if trainer["precision"] == "32-true" else f" in {trainer['precision']}"
        return f"{self.plan.config['model']['name']}{precision}, {shape}, batches of {data['batch_size']} a rank"

    def measured_rows(self) -> list[list[str]]:
        """One a number of ranks."""
        rates, rows = self.turns.rates(), []
        for ranks in self.plan.ranks:
            several, speedup = rates.rates[str(ranks)], self.turns.speedup(ranks)
            rows.append(
                [
                    f"{ranks}",
                    f"{rates.median(str(ranks)):,.0f}",
                    f"{min(several):,.0f}..{max(several):,.0f}",
                    f"{speedup:.2f}",
                    f"{ranks}",
                    f"{speedup / ranks:.0%}",
                    f"{self.turns.all_reduce_share(ranks):.1%}",
                ]
            )
        return rows

    def bare_all_reduces(self) -> str:
        """Seconds of the sum alone, which says whether it could be what costs."""
        several = [f"{self.turns.all_reduce_seconds(n) * 1e3:.2f} ms with {n} ranks" for n in self.plan.ranks if n > 1]
        return f"A bare all-reduce of {self.size / 1e6:,.1f} MB: {', '.join(several) or 'none with one rank'}."

    def compute_seconds(self) -> float:
        """What the prediction takes for a step: as told, or as measured."""
        return self.plan.step_seconds or self.turns.compute_seconds()

    def predicted_title(self) -> str:
        """It must not be taken for a measurement."""
        origin = "as given" if self.plan.step_seconds else "as measured here on one rank"
        compute = f"{self.compute_seconds() * 1e3:,.1f} ms of compute a step ({origin})"
        return f"PREDICTED, not measured: {self.what()}, {compute}, {self.size / 1e6:,.1f} MB of gradients"

    def predictions(self) -> list[tuple[Links, Prediction]]:
        """For each number of GPUs, and for each kind of link that they would need."""
        return [
            (links, predict(gpus, self.compute_seconds(), self.size, links))
            for gpus in self.plan.gpus
            for links in (self.plan.links if gpus > self.plan.links[0].node else self.plan.links[:1])
        ]

    def predicted_rows(self) -> list[list[str]]:
        """Ranges, from an all-reduce after the step's compute to one beside the whole of backward."""
        return [
            [
                f"{one.gpus}",
                f"{links.between * 8 / 1e9:g} Gbit/s" if one.gpus > links.node else "none: one node",
                f"{one.all_reduce_seconds * 1e3:,.1f} ms",
                f"{one.gpus * one.worst:.1f} to {one.gpus * one.best:.1f}",
                f"{one.worst:.1%} to {one.best:.1%}",
            ]
            for links, one in self.predictions()
        ]

    def assumptions(self) -> str:
        """What the prediction stands on."""
        links = self.plan.links[0]
        return (
            f"The prediction assumes nodes of {links.node} GPUs, {links.inside / 1e9:g} GB/s and "
            f"{links.inside_latency * 1e6:g} us a message for each GPU inside, {links.between_latency * 1e6:g} us "
            "between nodes, ring all-reduces in the nodes and then between them, as large a batch on every GPU; from "
            f"an all-reduce that hides behind nothing to one beside all of backward ({BACKWARD:.0%} of compute); no "
            "stragglers, no waiting for data, no other traffic."
        )

    def figures(self) -> dict[str, Any]:
        """Everything, every round."""
        plan, turns = self.plan, self.turns
        measured = {
            str(ranks): {
                "rounds": [asdict(turn) for turn in turns.turns[ranks]],
                "images_per_second": turns.rates().rates[str(ranks)],
                "speedup": turns.speedup(ranks),
                "efficiency": turns.speedup(ranks) / ranks,
                "all_reduce_share": turns.all_reduce_share(ranks),
            }
            for ranks in (plan.ranks if plan.rounds else [])
        }
        predicted = {
            "note": "predicted, not measured",
            "assumptions": self.assumptions(),
            "compute_seconds": self.compute_seconds(),
            "compute_is": "given" if plan.step_seconds else "measured on one rank",
            "rows": [{"links": asdict(links), **asdict(one)} for links, one in self.predictions()],
        }
        own = {"rounds": plan.rounds, "steps": plan.steps, "threads_a_rank": plan.threads}
        own |= {"batch_size_a_rank": turns.batch_size, "gradient_bytes": self.size}
        device = torch.device("cuda" if plan.cuda else "cpu")
        return {"command": self.command, **own, "measured": measured, "predicted": predicted} | {
            "environment": environment(device)
        }
