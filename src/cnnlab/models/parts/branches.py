"""Branches over the same input, side by side: what inception modules are made of."""

import torch
from torch import Tensor, nn

from cnnlab.models.layers import Kernel, Layers


class Branch(nn.Sequential):
    """Layers in a row that end with `c_out` channels."""

    def __init__(self, c_out: int, *layers: nn.Module) -> None:
        super().__init__(*layers)
        self.c_out = c_out


class Branches(nn.ModuleList):
    """Branches over the same input whose outputs are concatenated: [N, C, H, W] -> [N, c_out, H', W']."""

    def __init__(self, *branches: Branch) -> None:
        super().__init__(branches)
        self.c_out: int = sum(one.c_out for one in branches)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([one(x) for one in self], dim=1)


def branch(
    layers: Layers, c_in: int, *convs: tuple[int, Kernel], first: nn.Module | None = None, reduce: bool = False
) -> Branch:
    """Convolutions (width, kernel) in a row, padded to keep the size, after `first` if that is given.

    reduce: the last one has stride 2 and no padding (Szegedy et al., 2016, fig. 10).
    """
    parts = [] if first is None else [first]
    for position, (width, kernel) in enumerate(convs, start=1):
        last = reduce and position == len(convs)
        c_out = layers.channels(width)
        padding = 0 if last else same(kernel)
        parts.append(layers.conv(c_in, c_out, kernel, stride=2 if last else 1, padding=padding))
        c_in = c_out
    return Branch(c_in, *parts)


def same(kernel: Kernel) -> Kernel:
    """Padding that keeps an image's size."""
    return kernel // 2 if isinstance(kernel, int) else (kernel[0] // 2, kernel[1] // 2)
