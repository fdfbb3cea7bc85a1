"""BN-Inception, the first Inception v2 (Ioffe, Szegedy: Batch normalization, 2015, appendix, fig. 5)."""

from torch import nn

from cnnlab.models.image import output_shape, stem_for
from cnnlab.models.layers import Layers
from cnnlab.models.parts.branches import Branch, Branches, branch
from cnnlab.models.parts.classified import Classified

# #1x1, #3x3 reduce, #3x3, double #3x3 reduce, double #3x3, kind of pooling, projection; 0: the pooling alone.
# A module without 1x1 halves the image.
MODULES = (
    (64, 64, 64, 64, 96, "avg", 32),
    (64, 64, 96, 64, 96, "avg", 64),
    (0, 128, 160, 64, 96, "max", 0),
    (224, 64, 96, 96, 128, "avg", 128),
    (192, 96, 128, 96, 128, "avg", 128),
    (160, 128, 160, 128, 160, "avg", 96),
    (96, 128, 192, 160, 192, "avg", 96),
    (0, 128, 192, 192, 256, "max", 0),
    (352, 192, 320, 160, 224, "avg", 128),
    (352, 192, 320, 192, 224, "max", 128),
)


def inception(layers: Layers, c_in: int, row: tuple[int, int, int, int, int, str, int], bottleneck: bool) -> Branches:
    """[1x1] | [1x1, 3x3] | [1x1, 3x3, 3x3] | [pool, 1x1]."""
    n1, reduce3, n3, reduce_double, double, kind, projected = row
    if not n1:
        return halving(layers, c_in, row, bottleneck)
    pooling = layers.pooling(kind, 3, stride=1, padding=1)
    return Branches(
        branch(layers, c_in, (n1, 1)),
        branch(layers, c_in, *([(reduce3, 1)] if bottleneck else []), (n3, 3)),
        branch(layers, c_in, *([(reduce_double, 1)] if bottleneck else []), (double, 3), (double, 3)),
        branch(layers, c_in, (projected, 1), first=pooling),
    )


def halving(layers: Layers, c_in: int, row: tuple[int, int, int, int, int, str, int], bottleneck: bool) -> Branches:
    """[1x1, 3x3] | [1x1, 3x3, 3x3] | [pool], the last of each with stride 2 (section 4.1: "pass through")."""
    _, reduce3, n3, reduce_double, double, kind, _ = row
    c3, c_double = layers.channels(n3), layers.channels(double)
    one = branch(layers, c_in, *([(reduce3, 1)] if bottleneck else []))
    two = branch(layers, c_in, *([(reduce_double, 1)] if bottleneck else []), (double, 3))
    return Branches(
        Branch(c3, *one, layers.conv(one.c_out, c3, 3, stride=2, padding=1)),
        Branch(c_double, *two, layers.conv(c_double, c_double, 3, stride=2, padding=1)),
        Branch(c_in, layers.pooling(kind, 3, stride=2, padding=1)),
    )


class BNInception(Classified):
    """GoogLeNet with two 3x3 for each 5x5, BatchNorm everywhere, and one module more at 28x28.

    224 -> 112 -> 56 -> 28x28x192 -> 28x28x320 -> 14x14x576 -> 7x7x1024. The table prints projections of 128 for (4c)
    and (4d), which would not sum up to its own 576; they are 96 here. Its first layer is an ordinary convolution: the
    appendix makes it a separable one, which its table does not show. bottleneck=False: no 1x1 before the 3x3.
    Stem 'small': 3x3, stride 1, and no pooling before the modules: 32 -> 16 -> 8.

    Raises:
        UserError: the stem is not known, or the image too small.
    """

    def __init__(
        self, layers: Layers, num_classes: int, in_channels: int, image_size: int, stem: str, bottleneck: bool
    ) -> None:
        super().__init__()
        self.stem = stem_for(stem, image_size)
        imagenet = self.stem == "imagenet"
        c1, c2 = layers.channels(64), layers.channels(192)
        size, stride = (7, 2) if imagenet else (3, 1)
        self.features = nn.Sequential(
            layers.conv(in_channels, c1, size, stride=stride, padding=size // 2),
            *([layers.pooling("max", 3, stride=2, ceil_mode=True)] if imagenet else []),
            layers.conv(c1, c1, 1),
            layers.conv(c1, c2, 3, padding=1),
            *([layers.pooling("max", 3, stride=2, ceil_mode=True)] if imagenet else []),
        )
        c_in = c2
        for row in MODULES:
            module = inception(layers, c_in, row, bottleneck)
            self.features.append(module)
            c_in = module.c_out
        output_shape(self.features, in_channels, image_size)  # refuses images that do not survive
        self.classifier = layers.averaged(c_in, num_classes)
