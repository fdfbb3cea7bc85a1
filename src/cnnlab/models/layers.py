"""The blocks that every network is made of, and the one place where norm, dropout and activation act."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from cnnlab.errors import require_one_of

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
}


def group_norm(channels: int) -> nn.GroupNorm:
    """Wu and He, 2018: 32 groups, or the most that divide the channels."""
    groups = next(groups for groups in range(min(32, channels), 0, -1) if channels % groups == 0)
    return nn.GroupNorm(groups, channels)


NORMS: dict[str, Callable[[int], list[nn.Module]]] = {
    "none": lambda _: [],
    "batch": lambda channels: [nn.BatchNorm2d(channels)],
    "group": lambda channels: [group_norm(channels)],
    "instance": lambda channels: [nn.GroupNorm(channels, channels)],
    "layer": lambda channels: [nn.GroupNorm(1, channels)],  # over channels and positions (Wu and He, fig. 2)
}


class StochasticDepth(nn.Module):
    """Drops a residual branch for a whole image with probability p, in training (Huang et al., 2016).

    A branch that stays is scaled by 1 / (1 - p), so that evaluation needs no correction.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, branch: Tensor) -> Tensor:
        if not self.training:
            return branch
        keep = torch.empty(branch.shape[0], 1, 1, 1, dtype=branch.dtype, device=branch.device).bernoulli_(1 - self.p)
        return branch * keep / (1 - self.p)

    def extra_repr(self) -> str:
        return f"p={self.p:.3g}"


@dataclass(frozen=True)
class Layers:
    """What varies between the cells of an ablation; networks are handed it and never ask what is in it."""

    activation: str
    norm: str
    dropout: float
    spatial_dropout: float
    stochastic_depth: float

    def conv(
        self,
        c_in: int,
        c_out: int,
        kernel: int,
        *,
        stride: int = 1,
        padding: int = 0,
        bias: bool = True,
        activate: bool = True,
    ) -> nn.Sequential:
        """Convolution, norm if any, activation: [N, c_in, H, W] -> [N, c_out, H', W'].

        bias=False is for networks whose paper has none even without a norm.
        """
        with_bias = bias and self.norm == "none"  # a norm has its own shift
        convolution = nn.Conv2d(c_in, c_out, kernel, stride, padding, bias=with_bias)
        nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")  # He et al., 2015
        if convolution.bias is not None:
            nn.init.zeros_(convolution.bias)
        parts: list[nn.Module] = [convolution, *self.normalization(c_out)]
        if activate:
            parts += [self.activate(), *self.drop_channels()]
        return nn.Sequential(*parts)

    def hidden(self, f_in: int, f_out: int) -> nn.Sequential:
        """A fully connected hidden layer: linear, activation, dropout if any."""
        linear = nn.Linear(f_in, f_out)
        nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
        nn.init.zeros_(linear.bias)
        return nn.Sequential(linear, self.activate(), *self.drop())

    def logits(self, f_in: int, num_classes: int) -> nn.Linear:
        """The output layer: small weights, so that the loss starts near ln K however many features there are."""
        linear = nn.Linear(f_in, num_classes)
        nn.init.normal_(linear.weight, std=0.1 / f_in**0.5)
        nn.init.zeros_(linear.bias)
        return linear

    def activate(self) -> nn.Module:
        """The activation, not in place: a hook or a picture of its input stays possible."""
        return ACTIVATIONS[self.activation]()

    def normalization(self, channels: int) -> list[nn.Module]:
        """Nothing, or one norm over [N, channels, H, W]."""
        require_one_of("regularizer.norm", self.norm, NORMS)
        return NORMS[self.norm](channels)

    def drop(self) -> list[nn.Module]:
        """Dropout of single features, before an output layer or in a hidden one (Srivastava et al., 2014)."""
        return [nn.Dropout(self.dropout)] if self.dropout else []

    def drop_channels(self) -> list[nn.Module]:
        """Dropout of whole feature maps, after each convolution (Tompson et al., 2015)."""
        return [nn.Dropout2d(self.spatial_dropout)] if self.spatial_dropout else []

    def drop_branch(self, depth: float) -> list[nn.Module]:
        """Stochastic depth for a residual branch at a relative depth in (0, 1]: linear decay, as the paper has it."""
        return [StochasticDepth(self.stochastic_depth * depth)] if self.stochastic_depth else []


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
