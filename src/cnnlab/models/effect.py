"""Where regularizers have found something to act on."""

from typing import Any

from torch import nn

from cnnlab.models.parts.stochastic_depth import StochasticDepth


def without_effect(net: nn.Module, regularizer: dict[str, Any]) -> list[str]:
    """Which regularizers are on but have found nothing to act on in this network."""
    acts_in: dict[str, tuple[type[nn.Module], ...]] = {
        "norm": (nn.BatchNorm2d, nn.GroupNorm),
        "dropout": (nn.Dropout,),
        "spatial_dropout": (nn.Dropout2d,),
        "stochastic_depth": (StochasticDepth,),
    }
    on = [name for name in acts_in if regularizer[name] not in (0, "none")]
    return [name for name in on if not any(isinstance(module, acts_in[name]) for module in net.modules())]
