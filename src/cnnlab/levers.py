"""Ways to compute the same training faster, or in less memory, by keys of trainer.*"""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from cnnlab.errors import UserError
from cnnlab.models.stages import stages
from cnnlab.run import Config

LEVERS = ("precision", "channels_last", "compile", "cudnn_benchmark", "matmul_precision", "activation_checkpointing")


def levers_of(trainer: Config) -> Config:
    """Those keys alone."""
    return {key: trainer[key] for key in LEVERS}


def levers_in(saved: Config) -> Config | None:
    """What a checkpoint's run had on; None: it is from before they came."""
    levers = saved.get("callbacks", {}).get("levers")
    return None if levers is None else {key: levers[key] for key in LEVERS}


def device_of(trainer: Config) -> torch.device:
    """What a run will compute on, before Lightning says so."""
    kind = trainer["accelerator"]
    if kind == "auto":
        kind = "gpu" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    return torch.device("cuda" if kind == "gpu" else kind)


@contextmanager
def settings(trainer: Config) -> Iterator[None]:
    """Those that hold for the whole process, which may train another cell afterwards."""
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.benchmark
    torch.set_float32_matmul_precision(trainer["matmul_precision"])
    torch.backends.cudnn.benchmark = trainer["cudnn_benchmark"]
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.benchmark = before[1]


def memory_format(trainer: Config) -> torch.memory_format:
    """In which order images and weights lie in memory: NCHW, or NHWC."""
    return torch.channels_last if trainer["channels_last"] else torch.contiguous_format


def pull(net: nn.Module, trainer: Config) -> None:
    """Makes a network's training steps compiled, or recomputing; evaluation, names and weights stay as they are.

    Raises:
        UserError: there is no C++ compiler, or no GPU for what needs one.
    """
    if trainer["activation_checkpointing"]:
        for stage in stages(net):
            if any(stage.children()):  # what a single layer keeps is what is kept in its place
                recompute(stage)
    if trainer["compile"]:
        compile_steps(net, trainer["compile"], device_of(trainer))


def in_training(module: nn.Module, forward: Callable[..., Any]) -> None:
    """Replaces how a module computes in training; copies of it do the same."""
    kind = type(module)
    otherwise = kind.forward

    def either(self: nn.Module, *inputs: Any) -> Any:
        return (forward if self.training and torch.is_grad_enabled() else otherwise)(self, *inputs)

    module.__class__ = type(kind.__name__, (kind,), {"forward": either, "__module__": kind.__module__})


def compile_steps(net: nn.Module, mode: bool | str, device: torch.device) -> None:
    """By torch.compile: one graph, as all training batches are equally large.

    Evaluation has batches of several sizes, and would have to be compiled for each of them; it needs no compiler.

    Raises:
        UserError: as `pull`.
    """
    if mode == "reduce-overhead" and device.type != "cuda":
        raise UserError("trainer.compile=reduce-overhead is CUDA graphs, which need a GPU; take trainer.compile=true")
    require_compiler(mode)
    in_training(net, torch.compile(type(net).forward, mode=mode if isinstance(mode, str) else None, dynamic=False))


def require_compiler(mode: bool | str) -> None:
    """Raises a UserError if there is no C++ compiler where torch looks for it."""
    wanted = os.environ.get("CXX") or {"darwin": "clang++", "win32": "cl"}.get(sys.platform, "g++")
    if shutil.which(wanted) is None:
        raise UserError(
            f"trainer.compile={str(mode).lower()}: it needs a C++ compiler, and there is no {wanted} (Debian: apt-get "
            "install g++; CXX=... names another one). trainer.compile=false trains without"
        )


def recompute(stage: nn.Module) -> None:
    """Keeps only a stage's input for backward, which computes the rest again (Chen et al., 2016); same draws."""
    forward = type(stage).forward

    def recomputing(self: nn.Module, *inputs: Any) -> Any:
        again = partial(_contexts, self)
        return checkpoint(partial(forward, self), *inputs, use_reentrant=False, context_fn=again)

    in_training(stage, recomputing)


def _contexts(stage: nn.Module) -> tuple[Any, Any]:
    return nullcontext(), on_copies(stage)


@contextmanager
def on_copies(stage: nn.Module) -> Iterator[None]:
    """Running statistics have seen the batch already: what it does to them a second time is thrown away."""
    own = [(part, name, buffer) for part in stage.modules() for name, buffer in part.named_buffers(recurse=False)]
    for part, name, buffer in own:
        setattr(part, name, buffer.clone())
    try:
        yield
    finally:
        for part, name, buffer in own:
            setattr(part, name, buffer)
