"""Training steps on one of N ranks, with and without the sum of gradients over all of them."""

import os
import time
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from cnnlab.build import build_classifier, build_network
from cnnlab.finetune import freeze
from cnnlab.optim import add_l1
from cnnlab.run import Config

WARM_UP = 3  # steps; DDP arranges its buckets after the first
ALL_REDUCES = 5
# what is computed in, and what autocast takes; 16-mixed is not here, as it needs a scaler of losses
PRECISIONS: dict[str, tuple[torch.dtype, torch.dtype | None]] = {
    "32-true": (torch.float32, None),
    "64-true": (torch.float64, None),
    "bf16-true": (torch.bfloat16, None),
    "bf16-mixed": (torch.float32, torch.bfloat16),
}


@dataclass(frozen=True)
class Turn:
    """Seconds of rank 0, from one barrier to the next."""

    step: float  # gradients are summed
    lone_step: float  # they are not
    all_reduce: float  # of the gradients' bytes, with nothing else going on; 0 with one rank


def trained_network(config: Config) -> nn.Module:
    """The network in its precision, with only those weights to train that training would."""
    net = build_network(config).to(PRECISIONS[config["trainer"]["precision"]][0])
    freeze(net, config["model"]["freeze"])
    return net


def gradient_bytes(config: Config) -> int:
    """What one step's gradients take; nothing is computed."""
    with torch.device("meta"):
        trained = [p for p in trained_network(config).parameters() if p.requires_grad]
    return sum(p.numel() * p.element_size() for p in trained)


def measure(config: Config, cuda: bool, threads: int, steps: int) -> Turn:
    """What each rank runs: warm-up, then so many steps with, without, without and with the sum of gradients."""
    warnings.filterwarnings("ignore", message="Grad strides do not match bucket view strides")  # as in training
    torch.set_num_threads(threads)
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if cuda else "gloo", device_id=device if cuda else None)
    step, net = prepared(config, device)
    parallel = isinstance(net, DistributedDataParallel)
    for _ in range(WARM_UP):
        step()
    seconds: dict[bool, list[float]] = {True: [], False: []}
    for summed in (True, False, False, True):
        with nullcontext() if summed or not parallel else net.no_sync():
            step()  # buffers are sent at the beginning of the step after a summed one
            seconds[summed].append(timed(step, steps, device))
    all_reduce = timed_all_reduce(gradient_bytes(config), device) if parallel else 0.0
    # the group is not destroyed: its end would wait for threads that wait for the GIL, and the process ends anyway
    return Turn(sum(seconds[True]) / 2, sum(seconds[False]) / 2, all_reduce)


def prepared(config: Config, device: torch.device) -> tuple[Callable[[], None], Any]:
    """A training step on a batch that lies on the device, and the network: bare with one rank, as in training."""
    torch.manual_seed(config["seed"])
    classifier = build_classifier(config, trained_network(config).to(device))
    optimizer = classifier.make_optimizer(classifier.net)
    net: nn.Module = classifier.net.train()
    if dist.get_world_size() > 1:
        net = DistributedDataParallel(
            net,
            [device] if device.type == "cuda" else None,
            gradient_as_bucket_view=True,
            find_unused_parameters=False,
            static_graph=False,
        )
    dtype, autocast = PRECISIONS[config["trainer"]["precision"]]
    data = config["datamodule"]
    shape = (data["batch_size"], data["in_channels"], data["image_size"], data["image_size"])
    images = torch.randn(shape, device=device, dtype=dtype)
    labels = torch.randint(data["num_classes"], shape[:1], device=device)

    def step() -> None:
        optimizer.zero_grad()
        with torch.autocast(device.type, autocast, enabled=autocast is not None):
            mixed, targets = classifier.mixing(images, labels)
            loss = classifier.objective(net(mixed), targets)[0]
        loss.backward()
        add_l1(optimizer)
        optimizer.step()

    return step, net


def timed(work: Callable[[], object], times: int, device: torch.device) -> float:
    """Seconds each time takes, from when all ranks begin to when all are done."""
    begun = together(device)
    for _ in range(times):
        work()
    return (together(device) - begun) / times


def together(device: torch.device) -> float:
    """The time when every rank, and its device, has come so far."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    dist.barrier()
    return time.perf_counter()


def timed_all_reduce(size: int, device: torch.device) -> float:
    """Seconds of a bare all-reduce of so many bytes."""
    gradients = torch.zeros(-(-size // 4), device=device)
    dist.all_reduce(gradients)
    return timed(lambda: dist.all_reduce(gradients), ALL_REDUCES, device)
