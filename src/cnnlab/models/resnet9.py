"""ResNet-9 (Page: How to train your ResNet, 2018; the network of the fast entries in DAWNBench)."""

from torch import Tensor, nn

from cnnlab.models.image import output_shape
from cnnlab.models.layers import Layers
from cnnlab.models.parts.classified import Classified

LOGIT_SCALE = 1 / 8  # Page's: the output layer learns slowly beside the convolutions' large steps


class Residual(nn.Module):
    """x + branch(x), the branch [3x3, 3x3] with activations after both, and none after the sum."""

    def __init__(self, layers: Layers, channels: int, depth: float) -> None:
        super().__init__()
        convs = (layers.conv(channels, channels, 3, padding=1, bias=False) for _ in range(2))
        self.branch = nn.Sequential(*convs, *layers.drop_branch(depth))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.branch(x)
        return out


class Scaled(nn.Module):
    """Its input times a constant."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor


class ResNet9(Classified):
    """3x3, then three stages of a 3x3 that doubles the width and a halving by max pooling; a residual block after the
    first and the third; global max pooling, one linear layer.

    32x32x3 -> 32x32x64 -> 16x16x128 -> 8x8x256 -> 4x4x512 -> 512 -> 10, with 6,573,130 parameters; Page's output layer
    has no bias, and 10 fewer.

    Raises:
        UserError: the image is too small.
    """

    def __init__(self, layers: Layers, num_classes: int, in_channels: int, image_size: int, base_width: int) -> None:
        super().__init__()
        widths = [layers.channels(base_width * 2**stage) for stage in range(4)]
        self.features = nn.Sequential(layers.conv(in_channels, widths[0], 3, padding=1, bias=False))
        for stage in (1, 2, 3):
            self.features.append(layers.conv(widths[stage - 1], widths[stage], 3, padding=1, bias=False))
            self.features.append(layers.pooling("max", 2))
            if stage != 2:
                self.features.append(Residual(layers, widths[stage], depth=stage / 3))
        _, left, _ = output_shape(self.features, in_channels, image_size)  # refuses images that do not survive
        self.features.append(layers.pooling("max", left))
        logits = layers.logits(widths[3], num_classes)
        self.classifier = nn.Sequential(nn.Flatten(), *layers.drop(), logits, Scaled(LOGIT_SCALE))
