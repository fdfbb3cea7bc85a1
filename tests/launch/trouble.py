"""Trains as LeNet-5, but for the cell with seed 1, in which something happens.

When it is built, or in a forward pass of training. What happens once leaves the file `tried` in the working folder.
"""

import os
import signal
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cnnlab.errors import UserError
from cnnlab.models.lenet import lenet5

TRIED = Path("tried")


def trouble(what: str, **shape: Any) -> nn.Module:
    """what: the kind of trouble and the run's seed, with a colon between."""
    kind, _, seed = what.partition(":")
    if seed != "1":
        kind = ""
    if kind == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "exits":
        os._exit(3)
    if kind == "raises":
        raise RuntimeError("it went wrong")
    if kind == "mendable":
        raise UserError("mend it")
    if kind == "rank" and os.environ["RANK"] == "1":
        raise RuntimeError("only rank 1 went wrong")
    if kind == "hangs":
        os.system("sleep 1000 &")
        time.sleep(1000)
    if kind == "once" and not TRIED.exists():
        TRIED.touch()
        raise RuntimeError("the first time")
    net = lenet5("modern", kernel=5, **shape)
    net.register_forward_pre_hook(InTraining(kind))
    return net


class InTraining:
    """Trouble in the middle."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.passes = 0

    def __call__(self, net: nn.Module, arguments: tuple[Tensor]) -> tuple[Tensor] | None:
        self.passes += net.training
        if self.kind == "memory" and self.passes > 9 and len(arguments[0]) > 4:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1 GiB.\nMore words.")
        if self.kind == "breaks" and self.passes == 12 and os.environ["RANK"] == "1":
            raise ValueError("it broke")
        if self.kind == "told" and self.passes == 12 and os.environ["RANK"] == "1" and not TRIED.exists():
            TRIED.touch()
            os.kill(os.getpid(), signal.SIGTERM)
        if self.kind == "dies" and self.passes == 12 and os.environ["RANK"] == "1" and not TRIED.exists():
            TRIED.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if self.kind == "nan" and self.passes == 12 and os.environ["RANK"] == "1" and not TRIED.exists():
            TRIED.touch()
            return (arguments[0] * float("nan"),)
        return None
