"""The modules of Inception v2 and v3 (Szegedy et al.: Rethinking the Inception architecture, 2016, figures 5 to 10)."""

from collections.abc import Sequence

from torch import nn

from cnnlab.models.image import output_shape
from cnnlab.models.layers import Layers
from cnnlab.models.parts.branches import Branch, Branches, branch
from cnnlab.models.parts.paired_draws import optional_weights


def pooled(layers: Layers, c_in: int, width: int) -> Branch:
    """[average 3x3, 1x1]."""
    return branch(layers, c_in, (width, 1), first=layers.pooling("avg", 3, stride=1, padding=1))


def at_35(layers: Layers, c_in: int, projected: int, kernels: Sequence[int]) -> Branches:
    """Fig. 5: [1x1] | [1x1, *kernels] | [1x1, 3x3, 3x3] | [average, 1x1]; kernels: 3x3 in v2, 5x5 in v3."""
    return Branches(
        branch(layers, c_in, (64, 1)),
        branch(layers, c_in, (48, 1), *((64, kernel) for kernel in kernels)),
        branch(layers, c_in, (64, 1), (96, 3), (96, 3)),
        pooled(layers, c_in, projected),
    )


def at_17(layers: Layers, c_in: int, inner: int) -> Branches:
    """Fig. 6, n = 7: nxn convolutions as 1xn and nx1."""
    wide, tall = (inner, (1, 7)), (inner, (7, 1))
    return Branches(
        branch(layers, c_in, (192, 1)),
        branch(layers, c_in, (inner, 1), wide, (192, (7, 1))),
        branch(layers, c_in, (inner, 1), tall, wide, tall, (192, (1, 7))),
        pooled(layers, c_in, 192),
    )


def at_8(layers: Layers, c_in: int) -> Branches:
    """Fig. 7: 1x3 and 3x1 side by side, for high-dimensional codes on the coarsest grid."""

    def split(*convs: tuple[int, int]) -> Branch:
        before = branch(layers, c_in, *convs)
        beside = Branches(branch(layers, before.c_out, (384, (1, 3))), branch(layers, before.c_out, (384, (3, 1))))
        return Branch(beside.c_out, *before, beside)

    return Branches(
        branch(layers, c_in, (320, 1)), split((384, 1)), split((448, 1), (384, 3)), pooled(layers, c_in, 192)
    )


def from_35_to_17(layers: Layers, c_in: int) -> Branches:
    """Fig. 10: convolutions and pooling of stride 2 side by side, so that nothing is lost to either alone."""
    return Branches(
        branch(layers, c_in, (384, 3), reduce=True),
        branch(layers, c_in, (64, 1), (96, 3), (96, 3), reduce=True),
        Branch(c_in, layers.pooling("max", 3, stride=2)),
    )


def from_17_to_8(layers: Layers, c_in: int) -> Branches:
    """The same one grid below."""
    return Branches(
        branch(layers, c_in, (192, 1), (320, 3), reduce=True),
        branch(layers, c_in, (192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3), reduce=True),
        Branch(c_in, layers.pooling("max", 3, stride=2)),
    )


@optional_weights()
def auxiliary_head(
    layers: Layers, features: nn.Sequential, shape: tuple[int, int], num_classes: int, normalize: bool
) -> nn.Sequential:
    """Average 5x5, stride 3, [1x1, 5x5] convolutions, logits over the last 17x17 grid (fig. 8).

    normalize: whether its second convolution, which sees the whole grid, has a norm (section 4: BN-auxiliary).
    """
    c_in, side, _ = output_shape(features, *shape)
    c1, c2 = layers.channels(128), layers.channels(768)
    return nn.Sequential(
        nn.AvgPool2d(5, 3) if side >= 17 else nn.AdaptiveAvgPool2d(5),
        layers.conv(c_in, c1, 1),
        layers.conv(c1, c2, 5, normalize=normalize),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        layers.logits(c2, num_classes),
    )
