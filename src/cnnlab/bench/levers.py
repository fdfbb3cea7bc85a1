"""`cnnlab bench levers`: what each lever buys in a training step, network by network."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import torch

from cnnlab import cost
from cnnlab.bench.arguments import parted, positive_number, whole_number
from cnnlab.bench.levers_report import Measured, report
from cnnlab.bench.networks import CPU_BATCH, GPU_BATCH, configurations, few_images
from cnnlab.bench.paired import Contender, take_turns
from cnnlab.bench.workload import Workload, first_line, workload
from cnnlab.build import build_network
from cnnlab.conf import register
from cnnlab.errors import UserError, require_one_of
from cnnlab.fast import has_bf16, safe
from cnnlab.launch.places import gpus_here, on_gpus
from cnnlab.levers import LEVERS, device_of
from cnnlab.run import Config
from cnnlab.track import tracked

PLAIN = "float32"
OWN = {"models": "families", "batch_size": "", "seconds": "0.5", "rounds": "5", "compile": "false"}
BF16 = {"precision": "bf16-mixed"}
NHWC = {"channels_last": True}
EVERYWHERE: dict[str, Config] = {
    "channels_last": NHWC,
    "bf16": BF16,
    "bf16 + channels_last": {**BF16, **NHWC},
    "activation checkpointing": {"activation_checkpointing": True},
    "optimizer not fused": {"fused": False},
}
ON_GPUS: dict[str, Config] = {
    "TF32": {"matmul_precision": "high"},
    "cudnn_benchmark": {"cudnn_benchmark": True},
    "all that fast takes": {**BF16, **NHWC, "cudnn_benchmark": True},
}


def bench_levers(arguments: list[str]) -> None:
    """Measures, prints and writes what `cnnlab bench --help` says.

    Raises:
        UserError: an argument, or what is composed from them, is not legal.
    """
    own, words = parted(arguments, OWN)
    own = OWN | own
    if taken := [word for word in words if word.startswith(tuple(f"trainer.{key}=" for key in (*LEVERS, "fast")))]:
        raise UserError(f"{taken[0]}: the bench sets it itself")
    rounds, seconds = whole_number("rounds", own["rounds"]), positive_number("seconds", own["seconds"])
    require_one_of("compile", own["compile"], ("false", "true"))
    register()
    (first,) = configurations("lenet5", words, CPU_BATCH).values()
    on_gpu = on_gpus(first["trainer"], gpus_here(dict(os.environ)))
    batch_size = whole_number("batch_size", own["batch_size"] or str(GPU_BATCH if on_gpu else CPU_BATCH))
    configs = configurations(own["models"], words, batch_size)
    if not on_gpu and not own["batch_size"]:
        configs = {name: few_images(config, flops_of(config)) for name, config in configs.items()}
    levers = EVERYWHERE | (ON_GPUS if on_gpu else {})
    if own["compile"] == "true":
        levers = {**levers, "compile": {"compile": True}}
        levers |= {"CUDA graphs": {"compile": "reduce-overhead"}} if on_gpu else {}
    measured = [measure(name, config, levers, rounds, seconds) for name, config in all_of(configs)]
    figures = {"command": ["cnnlab", "bench", "levers", *arguments], "rounds": rounds}
    report(measured, list(levers), first, figures, Path(first["runs_dir"], "bench", "levers"))
    if all(one.error for one in measured):
        raise UserError(f"nothing was measured: {measured[0].error}")


def all_of(configs: dict[str, Config]) -> Iterator[tuple[str, Config]]:
    """One after the other, with the time to go."""
    return tracked(configs.items(), len(configs), "networks")


def measure(name: str, config: Config, levers: dict[str, Config], rounds: int, seconds: float) -> Measured:
    """All levers of one network in turns; a lever or a network that fails has an error in place of figures."""
    errors: dict[str, str] = {}
    images = config["datamodule"]["batch_size"]
    contenders: dict[str, Contender] = {}
    steps = 0
    try:
        for lever, keys in {PLAIN: {}, **levers}.items():
            try:
                load = workload(with_lever(config, keys))
                load.train()
            except (RuntimeError, UserError) as error:
                if lever == PLAIN:
                    return Measured(name, images, {}, {}, "", first_line(error))
                errors[lever] = first_line(error)
                continue
            steps = steps or steps_in(seconds, load)
            contenders[lever] = work_of(load, steps)
        rates = take_turns(contenders, rounds, warm_up=False, shown=False)
    finally:
        gc.collect()  # one network's memory before the next one's
    return Measured(name, images, rates.rates, errors, taken_by_fast(config), "")


def with_lever(config: Config, keys: Config) -> Config:
    """The configuration with these keys of trainer.*; 'fused' is the optimizer's."""
    optim = {key: keys.get(key, value) for key, value in config["optim"].items()}
    return {
        **config,
        "optim": optim,
        "trainer": {**config["trainer"], **{k: v for k, v in keys.items() if k != "fused"}},
    }


def steps_in(seconds: float, load: Workload) -> int:
    """How many steps take about so long; at least one."""
    begun = perf_counter()
    load.train()
    return max(1, round(seconds / (perf_counter() - begun)))


def work_of(load: Workload, steps: int) -> Contender:
    """So many steps, of which each trains that many images."""

    def work() -> int:
        for _ in range(steps):
            load.train()
        return steps * load.images

    return work


def taken_by_fast(config: Config) -> str:
    """What trainer.fast would turn on here."""
    device = device_of(config["trainer"])
    on, _ = safe(device, has_bf16(device), flops_of(config), False)
    return ", ".join(on) or "nothing"


def flops_of(config: Config) -> int:
    """Of one image, or 0 where the network refuses such images, which its line in the table will say."""
    data = config["datamodule"]
    try:
        with torch.device("meta"):
            return cost.flops(build_network(config), data["in_channels"], data["image_size"])
    except UserError:
        return 0
