"""Norms over feature maps [N, C, H, W], by the name that regularizer.norm takes."""

from collections.abc import Callable

from torch import nn


def group_norm(channels: int, eps: float) -> nn.GroupNorm:
    """Wu and He, 2018: 32 groups, or the most that divide the channels."""
    groups = next(groups for groups in range(min(32, channels), 0, -1) if channels % groups == 0)
    return nn.GroupNorm(groups, channels, eps)


NORMS: dict[str, Callable[[int, float], list[nn.Module]]] = {
    "none": lambda *_: [],
    "batch": lambda channels, eps: [nn.BatchNorm2d(channels, eps)],
    "group": lambda channels, eps: [group_norm(channels, eps)],
    "instance": lambda channels, eps: [nn.GroupNorm(channels, channels, eps)],
    "layer": lambda channels, eps: [nn.GroupNorm(1, channels, eps)],  # over channels and positions (Wu and He, fig. 2)
}


def local_response() -> nn.LocalResponseNorm:
    """b = a / (2 + 1e-4 * sum of a^2 over five neighbouring channels) ^ 0.75 (Krizhevsky et al., 2012, section 3.3)."""
    size = 5
    return nn.LocalResponseNorm(size, alpha=size * 1e-4, beta=0.75, k=2)  # torch divides alpha by the size
