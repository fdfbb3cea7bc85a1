"""Softmax regression, for measuring: a network whose arithmetic costs next to nothing."""

from typing import Any

from torch import nn


def linear(num_classes: int, in_channels: int, image_size: int, **_: Any) -> nn.Module:
    """One layer from pixels to logits; whatever else a model is configured with makes no difference."""
    return nn.Sequential(nn.Flatten(), nn.Linear(in_channels * image_size**2, num_classes))
