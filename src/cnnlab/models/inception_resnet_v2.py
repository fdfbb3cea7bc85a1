"""Inception-ResNet v2 (Szegedy, Ioffe, Vanhoucke, Alemi: Inception-v4, Inception-ResNet, 2017, section 3.2)."""

from torch import Tensor, nn

from cnnlab.models.image import output_shape, stem_for
from cnnlab.models.layers import Kernel, Layers
from cnnlab.models.parts.branches import Branch, Branches, branch
from cnnlab.models.parts.classified import Classified

Convs = tuple[tuple[int, Kernel], ...]

# The residual blocks: branches of (width, kernel), the scale of the residual (section 3.3), and how often.
BLOCKS: dict[str, tuple[tuple[Convs, ...], float, int]] = {
    "A": ((((32, 1),), ((32, 1), (32, 3)), ((32, 1), (48, 3), (64, 3))), 0.17, 10),
    "B": ((((192, 1),), ((128, 1), (160, (1, 7)), (192, (7, 1)))), 0.10, 20),
    "C": ((((192, 1),), ((192, 1), (224, (1, 3)), (256, (3, 1)))), 0.20, 9),
}


class Block(nn.Module):
    """activation(x + scale * 1x1(branches(x))); `depth` in (0, 1] as in ResNet (stochastic depth)."""

    def __init__(self, layers: Layers, channels: int, convs: tuple[Convs, ...], scale: float, depth: float) -> None:
        super().__init__()
        branches = Branches(*(branch(layers, channels, *row) for row in convs))
        up = layers.conv(branches.c_out, channels, 1, normalize=False, activate=False)
        self.branch = nn.Sequential(branches, up, *layers.drop_branch(depth))
        self.scale = scale
        self.activation = layers.activate()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.activation(x + self.scale * self.branch(x))
        return out


def stem_of(layers: Layers, in_channels: int, imagenet: bool) -> Branch:
    """299x299x3 -> 35x35x320: Inception v3's stem and a first module with 5x5."""
    c1, c2, c3, c4 = (layers.channels(n) for n in (32, 64, 80, 192))
    stride, padding = (2, 0) if imagenet else (1, 1)
    pooling = layers.pooling("avg", 3, stride=1, padding=1, count_include_pad=False)
    first = Branches(
        branch(layers, c4, (96, 1)),
        branch(layers, c4, (48, 1), (64, 5)),
        branch(layers, c4, (64, 1), (96, 3), (96, 3)),
        branch(layers, c4, (64, 1), first=pooling),
    )
    return Branch(
        first.c_out,
        layers.conv(in_channels, c1, 3, stride=stride, padding=padding),
        layers.conv(c1, c1, 3, padding=padding),
        layers.conv(c1, c2, 3, padding=1),
        *([layers.pooling("max", 3, stride=2)] if imagenet else []),
        layers.conv(c2, c3, 1),
        layers.conv(c3, c4, 3, padding=padding),
        *([layers.pooling("max", 3, stride=2)] if imagenet else []),
        first,
    )


def from_35_to_17(layers: Layers, c_in: int) -> Branches:
    """Reduction A, k = 256, l = 256, m = 384, n = 384 (fig. 7)."""
    return Branches(
        branch(layers, c_in, (384, 3), reduce=True),
        branch(layers, c_in, (256, 1), (256, 3), (384, 3), reduce=True),
        Branch(c_in, layers.pooling("max", 3, stride=2)),
    )


def from_17_to_8(layers: Layers, c_in: int) -> Branches:
    """Reduction B (fig. 18)."""
    return Branches(
        branch(layers, c_in, (256, 1), (384, 3), reduce=True),
        branch(layers, c_in, (256, 1), (288, 3), reduce=True),
        branch(layers, c_in, (256, 1), (288, 3), (320, 3), reduce=True),
        Branch(c_in, layers.pooling("max", 3, stride=2)),
    )


class InceptionResNetV2(Classified):
    """Inception modules as residual branches, scaled down so that they stay stable.

    This is the authors' released network. The paper's figures have Inception v4's stem, 5, 10 and 5 blocks in place of
    10, 20 and 10, and slightly other widths.

    299x299x3 -> 35x35x320 -> 17x17x1088 -> 8x8x2080 -> 8x8x1536, with 55,843,464 parameters at 1000 classes.
    Stem 'small': no strides and poolings before the modules: 32 -> 15 -> 7.

    Raises:
        UserError: the stem is not known, or the image too small.
    """

    def __init__(self, layers: Layers, num_classes: int, in_channels: int, image_size: int, stem: str) -> None:
        super().__init__()
        self.stem = stem_for(stem, image_size)
        self.features = stem_of(layers, in_channels, self.stem == "imagenet")
        c_in = self.features.c_out
        done, total = 0, 1 + sum(count for _, _, count in BLOCKS.values())
        for (convs, scale, count), reduction in zip(BLOCKS.values(), (None, from_35_to_17, from_17_to_8), strict=True):
            if reduction:
                self.features.append(module := reduction(layers, c_in))
                c_in = module.c_out
            for _ in range(count):
                done += 1
                self.features.append(Block(layers, c_in, convs, scale, done / total))
        convs, _, _ = BLOCKS["C"]
        last = Block(layers, c_in, convs, scale=1.0, depth=1.0)
        last.activation = nn.Identity()
        c_out = layers.channels(1536)
        self.features.extend([last, layers.conv(c_in, c_out, 1)])
        output_shape(self.features, in_channels, image_size)  # refuses images that do not survive
        self.classifier = layers.averaged(c_out, num_classes)
