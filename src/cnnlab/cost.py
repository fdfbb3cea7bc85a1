"""What a network costs."""

import resource
import sys
from contextlib import suppress
from pathlib import Path

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cnnlab.models.meta import forward_on_meta


def parameters(net: nn.Module) -> int:
    """Number of parameters, frozen ones included."""
    return sum(p.numel() for p in net.parameters())


def flops(net: nn.Module, in_channels: int, image_size: int) -> int:
    """Floating-point operations of one image's forward pass in evaluation: convolutions and matrix products.

    A multiply-accumulate counts as two. Nothing is computed, and the network's device does not matter.
    """
    with FlopCounterMode(display=False) as counter:
        forward_on_meta(net, in_channels, image_size)
    return int(counter.get_total_flops())


PEAK_OF_THIS_PROCESS = Path("/proc/self/status")
FORGET = Path("/proc/self/clear_refs")


def forget_peak_memory() -> None:
    """Starts measuring anew; where the system has no means to (other than Linux), the peak is the process' life's."""
    if torch.cuda.memory_allocated():
        torch.cuda.reset_peak_memory_stats()
    if FORGET.exists():
        with suppress(OSError):  # not everyone may
            FORGET.write_text("5")


def peak_memory_bytes() -> int:
    """Most memory held: the GPU's where one was used, else this process' resident set."""
    if held := torch.cuda.max_memory_allocated():  # 0 where no GPU was used
        return held
    if PEAK_OF_THIS_PROCESS.exists():
        lines = dict(line.split(":", 1) for line in PEAK_OF_THIS_PROCESS.read_text().splitlines() if ":" in line)
        return int(lines["VmHWM"].split()[0]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024  # getrusage's unit
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
