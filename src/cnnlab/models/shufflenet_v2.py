"""ShuffleNet v2 (Ma, Zhang, Zheng, Sun: Practical guidelines for efficient CNN architecture design, 2018, table 5)."""

import torch
from torch import Tensor, nn

from cnnlab.models.image import output_shape, stem_for
from cnnlab.models.layers import Layers
from cnnlab.models.parts.classified import Classified

STAGES = ((116, 4), (232, 8), (464, 4))  # width and units of each stage, at 1x


def depthwise(layers: Layers, channels: int, stride: int) -> nn.Sequential:
    """3x3 in each map alone, norm, no activation."""
    return layers.conv(channels, channels, 3, stride=stride, padding=1, groups=channels, bias=False, activate=False)


class Unit(nn.Module):
    """Half of the maps pass, half go through [1x1, 3x3 depthwise, 1x1]; then the halves are shuffled (fig. 3c).

    With stride 2 all maps go through both sides, of which the first is [3x3 depthwise, 1x1] (fig. 3d).
    """

    def __init__(self, layers: Layers, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        half = c_out // 2
        self.halves = stride > 1
        self.left = nn.Sequential()
        if self.halves:
            self.left.extend([depthwise(layers, c_in, stride), layers.conv(c_in, half, 1, bias=False, rectified=False)])
        self.right = nn.Sequential(
            layers.conv(c_in if self.halves else half, half, 1, bias=False),
            depthwise(layers, half, stride),
            layers.conv(half, half, 1, bias=False, rectified=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        left, right = (x, x) if self.halves else x.chunk(2, dim=1)
        pairs = torch.stack([self.left(left), self.right(right)], dim=2)
        return pairs.flatten(1, 2)  # one map of each side in turn


class ShuffleNetV2(Classified):
    """A 3x3 convolution, max pooling, three stages of units, a 1x1 to 1024 maps, global average, one linear layer.

    224 -> 112x112x24 -> 56 -> 28x28x116 -> 14x14x232 -> 7x7x464 -> 7x7x1024, with 2,278,604 parameters at 1000
    classes. model.width scales every layer, unlike the paper's 0.5x to 2x, which have widths of their own.
    Stem 'small': stride 1 and no pooling.

    Raises:
        UserError: the stem is not known, or the image too small.
    """

    def __init__(self, layers: Layers, num_classes: int, in_channels: int, image_size: int, stem: str) -> None:
        super().__init__()
        self.stem = stem_for(stem, image_size)
        imagenet = self.stem == "imagenet"
        c_in, last = layers.channels(24), layers.channels(1024)
        first = layers.conv(in_channels, c_in, 3, stride=2 if imagenet else 1, padding=1, bias=False)
        self.features = nn.Sequential(first)
        if imagenet:
            self.features.append(layers.pooling("max", 3, stride=2, padding=1))
        for width, units in STAGES:
            c_out = layers.channels(width, multiple_of=2)
            for position in range(units):
                self.features.append(Unit(layers, c_in, c_out, stride=2 if position == 0 else 1))
                c_in = c_out
        self.features.append(layers.conv(c_in, last, 1, bias=False))
        output_shape(self.features, in_channels, image_size)  # refuses images that do not survive
        self.classifier = layers.averaged(last, num_classes)
