"""The parts of a network in the order in which images pass them."""

from torch import nn

from cnnlab.models.parts.logits import Logits, LogitsMap


def stages(net: nn.Module) -> list[nn.Module]:
    """Convolutions, blocks, poolings, hidden layers: the children of its groups of layers."""
    groups = (nn.Sequential, nn.ModuleList)
    parts = [list(part.children()) if isinstance(part, groups) else [part] for part in net.children()]
    return [stage for part in parts for stage in part]


def heads(net: nn.Module) -> list[nn.Module]:
    """The output layers: the classifier's and the auxiliary heads'."""
    return [module for module in net.modules() if isinstance(module, Logits | LogitsMap)]
