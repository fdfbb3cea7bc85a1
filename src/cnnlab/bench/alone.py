"""Measurements in processes of their own: each has its own memory, and a failure ends no other."""

import multiprocessing
import resource
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from statistics import median
from time import perf_counter
from typing import Any

from cnnlab.run import Config

PRELOADED = ["cnnlab.bench.workload", "cnnlab.environment"]
SIDE = 2048  # of the matrices whose product is the machine's limit


def alone(what: str, config: Config, seconds: float) -> dict[str, Any]:
    """The figures of a network, or the 'peak' of the machine, or an 'error'."""
    context = multiprocessing.get_context(
        "forkserver"
    )  # its processes begin with everything imported, but nothing else
    context.set_forkserver_preload(PRELOADED)
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=answer, args=(send, what, config, seconds))
    process.start()
    send.close()
    try:
        found: dict[str, Any] = receive.recv()
    except EOFError:
        found = {"error": "its process was killed, as for want of memory"}
    process.join()
    return found


def answer(send: Connection, what: str, config: Config, seconds: float) -> None:
    """What the process does."""
    from cnnlab.bench.workload import first_line

    warnings.filterwarnings("ignore")
    try:
        found = peak(config, seconds) if what == "peak" else network(config, seconds)
    except Exception as error:  # whatever it is, it is this network's line in the table
        found = {"error": first_line(error)}
    send.send(found)


def network(config: Config, seconds: float) -> dict[str, Any]:
    """A training step's and a forward pass' seconds, medians of at least one each, and the memory that they take."""
    from cnnlab import cost
    from cnnlab.bench.workload import workload
    from cnnlab.levers import device_of

    if device_of(config["trainer"]).type == "cpu":
        leave_the_rest()
    load = workload(config)
    data = config["datamodule"]
    found: dict[str, Any] = {
        "parameters": cost.parameters(load.net),
        "flops": cost.flops(load.net, data["in_channels"], data["image_size"]),
    }
    for name, work in (("infer", load.infer), ("train", load.train)):
        cost.forget_peak_memory()
        times = timed(work, seconds)
        found |= {f"{name}_step_seconds": median(times), f"{name}_steps": len(times)}
        found[f"{name}_peak_memory_bytes"] = cost.peak_memory_bytes()
    return found


def leave_the_rest() -> None:
    """Takes no more memory than is free, so that the system ends nobody else for want of it."""
    import psutil

    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    free = psutil.virtual_memory().available
    resource.setrlimit(resource.RLIMIT_DATA, (free if most == resource.RLIM_INFINITY else min(free, most), most))


def peak(config: Config, seconds: float) -> dict[str, Any]:
    """Floating-point operations a second of a product of two square matrices, in the precision of the networks."""
    import torch

    from cnnlab.bench.steps import PRECISIONS
    from cnnlab.environment import environment
    from cnnlab.levers import device_of, settings

    device, (dtype, autocast) = device_of(config["trainer"]), PRECISIONS[config["trainer"]["precision"]]
    one, other = (torch.randn(SIDE, SIDE, device=device, dtype=autocast or dtype) for _ in range(2))

    def product() -> None:
        torch.mm(one, other)
        if device.type == "cuda":
            torch.cuda.synchronize()

    with settings(config["trainer"]):
        fastest = min(timed(product, seconds))
    return {"peak": 2 * SIDE**3 / fastest, "environment": environment(device)}


def timed(work: Callable[[], object], seconds: float) -> list[float]:
    """Each time's seconds, for so long, after one to warm up."""
    work()
    times: list[float] = []
    begun = perf_counter()
    while not times or perf_counter() - begun < seconds:
        since = perf_counter()
        work()
        times.append(perf_counter() - since)
    return times
