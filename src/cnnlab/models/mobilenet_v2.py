"""MobileNet v2 (Sandler et al.: Inverted residuals and linear bottlenecks, 2018, tables 1 and 2)."""

from torch import Tensor, nn

from cnnlab.models.image import output_shape, stem_for
from cnnlab.models.layers import Layers
from cnnlab.models.parts.classified import Classified

# Expansion t, width c, repeats n, stride s of the first (table 2).
TABLE = (
    *((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)),
    *((6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)),
)


class InvertedResidual(nn.Module):
    """[1x1 wider, 3x3 in each map alone, 1x1 narrower and linear], beside a shortcut where shapes agree (table 1)."""

    def __init__(self, layers: Layers, c_in: int, c_out: int, expansion: int, stride: int, depth: float) -> None:
        super().__init__()
        inner = c_in * expansion
        self.residual = stride == 1 and c_in == c_out
        self.branch = nn.Sequential(
            *([layers.conv(c_in, inner, 1, bias=False, rectified=False)] if expansion > 1 else []),
            layers.conv(inner, inner, 3, stride=stride, padding=1, groups=inner, bias=False),
            layers.conv(inner, c_out, 1, bias=False, activate=False),
            *(layers.drop_branch(depth) if self.residual else []),
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.branch(x)
        return x + out if self.residual else out


class MobileNetV2(Classified):
    """A 3x3 convolution, seventeen inverted residuals, a 1x1 to 1280 maps, global average, one linear layer.

    224 -> 112x112x32 -> 56x56x24 -> 28x28x32 -> 14x14x96 -> 7x7x320 -> 7x7x1280, with 3,504,872 parameters at 1000
    classes. Stem 'small': stride 1 in the first layer and the second row, as usual on CIFAR.

    Raises:
        UserError: the stem is not known, or the image too small.
    """

    def __init__(self, layers: Layers, num_classes: int, in_channels: int, image_size: int, stem: str) -> None:
        super().__init__()
        self.stem = stem_for(stem, image_size)
        imagenet = self.stem == "imagenet"
        c_in = layers.channels(32, multiple_of=8)
        first = layers.conv(in_channels, c_in, 3, stride=2 if imagenet else 1, padding=1, bias=False)
        self.features = nn.Sequential(first)
        done, total = 0, sum(repeats for _, _, repeats, _ in TABLE)
        for row, (expansion, width, repeats, stride) in enumerate(TABLE):
            c_out = layers.channels(width, multiple_of=8)
            for position in range(repeats):
                done += 1
                here = stride if position == 0 and (imagenet or row != 1) else 1
                self.features.append(InvertedResidual(layers, c_in, c_out, expansion, here, done / total))
                c_in = c_out
        last = max(1280, layers.channels(1280, multiple_of=8))  # a narrower network keeps them (section 6.1)
        self.features.append(layers.conv(c_in, last, 1, bias=False))
        output_shape(self.features, in_channels, image_size)  # refuses images that do not survive
        self.classifier = layers.averaged(last, num_classes)
