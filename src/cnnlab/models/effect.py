"""Where regularizers have found something to act on."""

from typing import Any

from torch import nn

from cnnlab.models.parts.stochastic_depth import StochasticDepth


def without_effect(net: nn.Module, model: dict[str, Any], regularizer: dict[str, Any]) -> list[str]:
    """Keys of regularizers that are on, and of pooling, where they have found nothing to act on in this network."""
    acts_in: dict[str, tuple[type[nn.Module], ...]] = {
        "norm": (nn.BatchNorm2d, nn.GroupNorm),
        "dropout": (nn.Dropout,),
        "spatial_dropout": (nn.Dropout2d,),
        "stochastic_depth": (StochasticDepth,),
    }
    on = {f"regularizer.{name}": acts_in[name] for name in acts_in if regularizer[name] not in (0, "none")}
    if model["pool"] != "paper":
        on["model.pool"] = (nn.MaxPool2d, nn.AvgPool2d)
    return [key for key, kinds in on.items() if not any(isinstance(module, kinds) for module in net.modules())]
