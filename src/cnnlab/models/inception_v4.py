"""Inception v4 (Szegedy, Ioffe, Vanhoucke, Alemi: Inception-v4, Inception-ResNet, 2017, figures 3 to 9)."""

from cnnlab.models.image import output_shape, stem_for
from cnnlab.models.layers import Layers
from cnnlab.models.parts.branches import Branch, Branches, branch
from cnnlab.models.parts.classified import Classified


def pooled(layers: Layers, c_in: int, width: int) -> Branch:
    """[average 3x3, 1x1]."""
    pooling = layers.pooling("avg", 3, stride=1, padding=1, count_include_pad=False)
    return branch(layers, c_in, (width, 1), first=pooling)


def stem_of(layers: Layers, in_channels: int, imagenet: bool) -> Branch:
    """Fig. 3: 299x299x3 -> 35x35x384; without strides, and with padding, for small images."""
    c1, c2, c3, c4 = (layers.channels(n) for n in (32, 64, 96, 192))
    stride, padding = (2, 0) if imagenet else (1, 1)
    at_73 = Branches(
        Branch(c2, layers.pooling("max", 3, stride=stride, padding=padding)),
        Branch(c3, layers.conv(c2, c3, 3, stride=stride, padding=padding)),
    )
    short, long = (
        branch(layers, at_73.c_out, (64, 1)),
        branch(layers, at_73.c_out, (64, 1), (64, (1, 7)), (64, (7, 1))),
    )
    at_71 = Branches(*(Branch(c3, *before, layers.conv(c2, c3, 3, padding=padding)) for before in (short, long)))
    at_35 = Branches(
        Branch(c4, layers.conv(at_71.c_out, c4, 3, stride=stride, padding=padding)),
        Branch(at_71.c_out, layers.pooling("max", 3, stride=stride, padding=padding)),
    )
    return Branch(
        at_35.c_out,
        layers.conv(in_channels, c1, 3, stride=stride, padding=padding),
        layers.conv(c1, c1, 3, padding=padding),
        layers.conv(c1, c2, 3, padding=1),
        *(at_73, at_71, at_35),
    )


def inception_a(layers: Layers, c_in: int) -> Branches:
    """Fig. 4, at 35x35."""
    return Branches(
        branch(layers, c_in, (96, 1)),
        branch(layers, c_in, (64, 1), (96, 3)),
        branch(layers, c_in, (64, 1), (96, 3), (96, 3)),
        pooled(layers, c_in, 96),
    )


def reduction_a(layers: Layers, c_in: int) -> Branches:
    """Fig. 7, k = 192, l = 224, m = 256, n = 384: 35x35 -> 17x17."""
    return Branches(
        branch(layers, c_in, (384, 3), reduce=True),
        branch(layers, c_in, (192, 1), (224, 3), (256, 3), reduce=True),
        Branch(c_in, layers.pooling("max", 3, stride=2)),
    )


def inception_b(layers: Layers, c_in: int) -> Branches:
    """Fig. 5, at 17x17."""
    return Branches(
        branch(layers, c_in, (384, 1)),
        branch(layers, c_in, (192, 1), (224, (1, 7)), (256, (7, 1))),
        branch(layers, c_in, (192, 1), (192, (7, 1)), (224, (1, 7)), (224, (7, 1)), (256, (1, 7))),
        pooled(layers, c_in, 128),
    )


def reduction_b(layers: Layers, c_in: int) -> Branches:
    """Fig. 8: 17x17 -> 8x8."""
    return Branches(
        branch(layers, c_in, (192, 1), (192, 3), reduce=True),
        branch(layers, c_in, (256, 1), (256, (1, 7)), (320, (7, 1)), (320, 3), reduce=True),
        Branch(c_in, layers.pooling("max", 3, stride=2)),
    )


def inception_c(layers: Layers, c_in: int) -> Branches:
    """Fig. 6, at 8x8: 1x3 and 3x1 side by side."""

    def split(*convs: tuple[int, int | tuple[int, int]]) -> Branch:
        before = branch(layers, c_in, *convs)
        beside = Branches(*(branch(layers, before.c_out, (256, kernel)) for kernel in ((1, 3), (3, 1))))
        return Branch(beside.c_out, *before, beside)

    return Branches(
        branch(layers, c_in, (256, 1)),
        split((384, 1)),
        split((384, 1), (448, (3, 1)), (512, (1, 3))),
        pooled(layers, c_in, 256),
    )


class InceptionV4(Classified):
    """A stem of inception modules of its own, then four A, seven B and three C between two reductions.

    299x299x3 -> 35x35x384 -> 17x17x1024 -> 8x8x1536, with 42,679,816 parameters at 1000 classes.
    Stem 'small': no strides before the A modules: 32 -> 15 -> 7.

    Raises:
        UserError: the stem is not known, or the image too small.
    """

    def __init__(self, layers: Layers, num_classes: int, in_channels: int, image_size: int, stem: str) -> None:
        super().__init__()
        self.stem = stem_for(stem, image_size)
        self.features = stem_of(layers, in_channels, self.stem == "imagenet")
        c_in = self.features.c_out
        for module, count in (
            *((inception_a, 4), (reduction_a, 1), (inception_b, 7)),
            *((reduction_b, 1), (inception_c, 3)),
        ):
            for _ in range(count):
                block = module(layers, c_in)
                self.features.append(block)
                c_in = block.c_out
        output_shape(self.features, in_channels, image_size)  # refuses images that do not survive
        self.classifier = layers.averaged(c_in, num_classes)
