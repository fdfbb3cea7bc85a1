"""What `cnnlab bench ddp` is asked for, looked at before anything starts."""

import os
from dataclasses import dataclass

import torch

from cnnlab.bench.arguments import positive_number, positive_numbers, whole_number, whole_numbers
from cnnlab.bench.scaling import Links
from cnnlab.bench.steps import PRECISIONS
from cnnlab.check import check
from cnnlab.conf import composed, register
from cnnlab.errors import UserError, require_one_of
from cnnlab.launch.places import cores, gpus_here, threads_told
from cnnlab.run import Config

DEFAULTS = {"model": "resnet20", "datamodule": "synthetic"}
CPU_BATCH = 32  # of a rank, where no other is asked for; a GPU takes the configuration's
STEPS = {False: 5, True: 50}  # in a block, on a CPU and on GPUs
# in GB/s: NVLink of a recent GPU; 100 and 10 Gbit/s Ethernet
OWN = {"rounds": "5", "steps": "", "ranks": "", "step_ms": "", "gpus": "8,64,100", "intra": "300", "inter": "12.5,1.25"}


@dataclass(frozen=True)
class Plan:
    """What is to be measured, and what it is to be told of other machines."""

    config: Config
    cuda: bool
    ranks: list[int]
    threads: int  # of each rank: the same, however many there are
    rounds: int
    steps: int
    step_seconds: float | None  # in place of what is measured
    gpus: list[int]
    links: list[Links]


def planned(own: dict[str, str], words: list[str]) -> Plan:
    """All values, looked at."""
    rounds = whole_number("rounds", own["rounds"], least=0)
    step_seconds = positive_number("step_ms", own["step_ms"]) / 1000 if own["step_ms"] else None
    if not rounds and step_seconds is None:
        raise UserError("rounds=0 measures nothing, so that step_ms=..., the milliseconds of a step, must be given")
    gpus, intra = whole_numbers("gpus", own["gpus"]), positive_number("intra", own["intra"])
    links = [Links(intra * 1e9, inter * 1e9) for inter in positive_numbers("inter", own["inter"])]
    config = configured(words)
    here = gpus_here(dict(os.environ)) if torch.version.cuda else []
    accelerator = config["trainer"]["accelerator"]
    if accelerator == "gpu" and not here and rounds:
        raise UserError("trainer.accelerator=gpu: this machine has no GPU")
    cuda = accelerator != "cpu" and bool(here)
    ranks = whole_numbers("ranks", own["ranks"]) if own["ranks"] else doubling(len(here) if cuda else cores())
    if cuda and max(ranks) > len(here):
        raise UserError(f"ranks={own['ranks']}: this machine has {len(here)} GPU(s), one for each rank")
    ranks = sorted({1, *ranks})  # the others are compared with it
    if not cuda and not any(word.startswith(("datamodule.batch_size=", "experiment=")) for word in words):
        config["datamodule"]["batch_size"] = CPU_BATCH
    threads = threads_told() or max(1, cores() // max(ranks))
    steps = whole_number("steps", own["steps"]) if own["steps"] else STEPS[cuda]
    return Plan(config, cuda, ranks, threads, rounds, steps, step_seconds, gpus, links)


def configured(words: list[str]) -> Config:
    """The configuration of these words, with the bench's defaults before them."""
    named = {word.split("=")[0] for word in words}
    if "experiment" not in named:
        words = [*(f"{group}={choice}" for group, choice in DEFAULTS.items() if group not in named), *words]
    register()
    config = composed(*words)
    check(config)
    trainer = config["trainer"]
    for key in ("devices", "num_nodes"):
        if trainer[key] != 1:
            raise UserError(f"trainer.{key}={trainer[key]}: here ranks=1,2 says how many processes there are")
    require_one_of("trainer.precision", trainer["precision"], PRECISIONS)
    return config


def doubling(most: int) -> list[int]:
    """1, 2, 4, ... and the most."""
    return sorted({*(2**n for n in range(most.bit_length())), most})
