"""What a network costs."""

import resource
import sys

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cnnlab.models.meta import forward_on_meta


def parameters(net: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(p.numel() for p in net.parameters() if p.requires_grad)


def flops(net: nn.Module, in_channels: int, image_size: int) -> int:
    """Floating-point operations of one image's forward pass in evaluation: convolutions and matrix products.

    A multiply-accumulate counts as two. Nothing is computed, and the network's device does not matter.
    """
    with FlopCounterMode(display=False) as counter:
        forward_on_meta(net, in_channels, image_size)
    return int(counter.get_total_flops())


def peak_memory_bytes() -> int:
    """Most memory held so far: the GPU's where one was used, else this process' resident set."""
    if torch.cuda.is_available() and (held := torch.cuda.max_memory_allocated()):
        return held
    unit = 1 if sys.platform == "darwin" else 1024  # getrusage's unit
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
