"""What residual networks share: shortcuts, and the two orders of a block."""

from functools import partial

import torch.nn.functional as F
from torch import Tensor, nn

from cnnlab.errors import require_one_of
from cnnlab.models.layers import Layers
from cnnlab.models.parts.paired_draws import optional_weights

EXPANSION = {"basic": 1, "bottleneck": 4}  # how much wider a block's output is than its stage
SHORTCUTS = ("none", "A", "B", "C")


class PadShortcut(nn.Module):
    """Option A: takes every stride-th pixel and fills the new channels with zeros; no parameters."""

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.more = c_out - c_in
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.more // 2, self.more - self.more // 2))


@optional_weights()  # a plain network begins with the same branches
def shortcut_of(
    layers: Layers, option: str, c_in: int, c_out: int, stride: int, normalize: bool = True
) -> nn.Module | None:
    """What is added to a block's branch (He et al., 2016, section 4.1), or None in a plain network.

    A: the identity, padded with zeros where shapes change. B: the identity, or a 1x1 convolution where shapes change.
    C: a 1x1 convolution everywhere.

    Raises:
        UserError: there is no such option.
    """
    require_one_of("model.shortcut", option, SHORTCUTS)
    project = partial(layers.conv, c_in, c_out, 1, stride=stride, bias=False, normalize=normalize, activate=False)
    if option == "none":
        return None
    if option == "C":
        return project()
    if c_in == c_out and stride == 1:
        return nn.Identity()
    return PadShortcut(c_in, c_out, stride) if option == "A" else project()


class Block(nn.Module):
    """activation(branch(x) + shortcut(x)); `depth` in (0, 1] is how far down the network it lies (stochastic depth)."""

    def __init__(self, layers: Layers, branch: nn.Sequential, shortcut: nn.Module | None, depth: float) -> None:
        super().__init__()
        self.branch = branch if shortcut is None else branch.extend(layers.drop_branch(depth))
        self.shortcut = shortcut
        self.activation = layers.activate()

    def forward(self, x: Tensor) -> Tensor:
        branch = self.branch(x)
        out: Tensor = self.activation(branch if self.shortcut is None else branch + self.shortcut(x))
        return out


class PreactivatedBlock(nn.Module):
    """branch(a) + x, or branch(a) + shortcut(a) where shapes change; a = activation(norm(x)) (He et al., 2016b)."""

    def __init__(
        self, layers: Layers, c_in: int, branch: nn.Sequential, shortcut: nn.Module | None, depth: float
    ) -> None:
        super().__init__()
        self.preactivate = nn.Sequential(*layers.normalization(c_in), layers.activate())
        self.branch = branch if shortcut is None else branch.extend(layers.drop_branch(depth))
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        preactivated = self.preactivate(x)
        branch: Tensor = self.branch(preactivated)
        if self.shortcut is None:
            return branch
        return branch + (x if isinstance(self.shortcut, nn.Identity) else self.shortcut(preactivated))
