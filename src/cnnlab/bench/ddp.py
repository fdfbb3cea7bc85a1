"""`cnnlab bench ddp`: images a second of N ranks, and what many GPUs should reach."""

from pathlib import Path
from tempfile import TemporaryDirectory

from cnnlab.bench.arguments import parted
from cnnlab.bench.curve import Curve
from cnnlab.bench.ddp_report import Report
from cnnlab.bench.paired import in_turns
from cnnlab.bench.plan import OWN, planned
from cnnlab.bench.steps import gradient_bytes, measure
from cnnlab.launch.agent import on_ranks
from cnnlab.launch.nodes import Nodes


def bench_ddp(arguments: list[str]) -> None:
    """Measures, predicts, prints and writes what `cnnlab bench --help` says.

    Raises:
        UserError: an argument, or what is composed from them, is not legal.
    """
    own, words = parted(arguments, OWN)
    plan = planned({**OWN, **own}, words)
    size = gradient_bytes(plan.config)  # a network that cannot be is refused before anything starts
    turns = Curve(plan.config["datamodule"]["batch_size"], {ranks: [] for ranks in plan.ranks})
    for ranks in in_turns(plan.ranks, plan.rounds):
        work = (plan.config, plan.cuda, plan.threads, plan.steps)
        with TemporaryDirectory() as told:
            turn = on_ranks(measure, *work, processes=ranks, nodes=Nodes(), start_method="fork", words=Path(told))
        turns.add(ranks, turn)
    Report(plan, turns, size, ["cnnlab", "bench", "ddp", *arguments]).give()
