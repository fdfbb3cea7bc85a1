"""Xception (Chollet: Deep learning with depthwise separable convolutions, 2017, fig. 5)."""

from itertools import pairwise

from torch import Tensor, nn

from cnnlab.models.image import output_shape, stem_for
from cnnlab.models.layers import Layers
from cnnlab.models.parts.classified import Classified
from cnnlab.models.parts.residual import shortcut_of


def separable(layers: Layers, c_in: int, c_out: int, *, activate: bool) -> nn.Sequential:
    """3x3 in each map alone, then at once 1x1 across maps, norm, and activation if asked for."""
    return nn.Sequential(
        *layers.conv(c_in, c_in, 3, padding=1, groups=c_in, bias=False, normalize=False, activate=False),
        *layers.conv(c_in, c_out, 1, bias=False, activate=activate, rectified=False),
    )


class Block(nn.Module):
    """Separable convolutions, each after an activation, beside a shortcut; max pooling halves where it is asked to."""

    def __init__(
        self, layers: Layers, widths: tuple[int, ...], *, halve: bool, first_activated: bool, depth: float
    ) -> None:
        super().__init__()
        self.branch = nn.Sequential()
        for position, (c_in, c_out) in enumerate(pairwise(widths)):
            if position > 0 or first_activated:
                self.branch.append(layers.activate())
            self.branch.append(separable(layers, c_in, c_out, activate=False))
        if halve:
            self.branch.append(layers.pooling("max", 3, stride=2, padding=1))
        self.branch.extend(layers.drop_branch(depth))
        self.shortcut = shortcut_of(layers, "B", widths[0], widths[-1], 2 if halve else 1)

    def forward(self, x: Tensor) -> Tensor:
        assert self.shortcut is not None
        out: Tensor = self.branch(x) + self.shortcut(x)
        return out


class Xception(Classified):
    """Entry flow, eight times the middle flow, exit flow: Inception's idea taken to its end.

    299x299x3 -> 149x149x32 -> 147x147x64 -> 19x19x728 -> 10x10x1024 -> 10x10x2048, with 22,855,952 parameters at 1000
    classes. Stem 'small': no stride in the first two convolutions: 32 -> 4 -> 2.

    Raises:
        UserError: the stem is not known, or the image too small.
    """

    def __init__(self, layers: Layers, num_classes: int, in_channels: int, image_size: int, stem: str) -> None:
        super().__init__()
        self.stem = stem_for(stem, image_size)
        imagenet = self.stem == "imagenet"
        c1, c2, c3, c4, c5, c6, c7, c8 = map(layers.channels, (32, 64, 128, 256, 728, 1024, 1536, 2048))
        stride, padding = (2, 0) if imagenet else (1, 1)
        entry = ((c2, c3, c3), (c3, c4, c4), (c4, c5, c5))
        middle = ((c5,) * 4,) * 8
        blocks = (*entry, *middle, (c5, c5, c6))
        self.features = nn.Sequential(
            layers.conv(in_channels, c1, 3, stride=stride, padding=padding, bias=False),
            layers.conv(c1, c2, 3, padding=padding, bias=False),
            *(
                Block(
                    layers,
                    widths,
                    halve=widths[0] != widths[-1],
                    first_activated=position > 0,  # the stem ends with an activation
                    depth=(position + 1) / len(blocks),
                )
                for position, widths in enumerate(blocks)
            ),
            separable(layers, c6, c7, activate=True),
            separable(layers, c7, c8, activate=True),
        )
        output_shape(self.features, in_channels, image_size)  # refuses images that do not survive
        self.classifier = layers.averaged(c8, num_classes)
