"""ResNet (He, Zhang, Ren, Sun: Deep residual learning for image recognition, 2016, table 1 and section 4.2).

With the same blocks: ResNeXt (Xie et al., 2017), SE-ResNet (Hu et al., 2018), and the wide ResNet-50 of Zagoruyko and
Komodakis, 2016.
"""

from torch import nn

from cnnlab.errors import UserError, require_one_of
from cnnlab.models.image import output_shape, stem_for
from cnnlab.models.layers import Layers
from cnnlab.models.parts.classified import Classified
from cnnlab.models.parts.residual import EXPANSION, Block, shortcut_of
from cnnlab.models.parts.squeeze_excitation import SqueezeExcitation


def basic(layers: Layers, c_in: int, c_out: int, stride: int) -> nn.Sequential:
    """[3x3, 3x3] (fig. 5, left)."""
    return nn.Sequential(
        layers.conv(c_in, c_out, 3, stride=stride, padding=1, bias=False),
        layers.conv(c_out, c_out, 3, padding=1, bias=False, activate=False),
    )


def bottleneck(layers: Layers, c_in: int, inner: int, c_out: int, stride: int, groups: int) -> nn.Sequential:
    """[1x1, 3x3, 1x1] (fig. 5, right); the stride lies on the 3x3, as in every implementation since Facebook's."""
    return nn.Sequential(
        layers.conv(c_in, inner, 1, bias=False),
        layers.conv(inner, inner, 3, stride=stride, padding=1, groups=groups, bias=False),
        layers.conv(inner, c_out, 1, bias=False, activate=False),
    )


class ResNet(Classified):
    """A stem, stages of residual blocks that halve the image and double the width, global average, one linear layer.

    blocks counts the blocks of each stage; base_width is the first stage's. Stem 'imagenet': 7x7, stride 2, and max
    pooling; 'small': one 3x3 at full resolution. shortcut: see residual.py; 'none' makes a plain network.
    cardinality: groups of a bottleneck's 3x3 (ResNeXt); inner_width: how much wider than its stage that 3x3 is.
    squeeze_excitation: by how much its squeeze is narrower than the block; 0 for none.

    Raises:
        UserError: stem, block or shortcut is not known, or the image too small.
    """

    def __init__(
        self,
        layers: Layers,
        num_classes: int,
        in_channels: int,
        image_size: int,
        stem: str,
        block: str,
        blocks: list[int],
        base_width: int,
        shortcut: str,
        cardinality: int,
        inner_width: int,
        squeeze_excitation: int,
    ) -> None:
        super().__init__()
        require_one_of("model.block", block, EXPANSION)
        if block == "basic" and (cardinality, inner_width) != (1, 1):
            raise UserError("model.cardinality and model.inner_width are for model.block=bottleneck")
        self.stem = stem_for(stem, image_size)
        width = layers.channels(base_width)
        if self.stem == "imagenet":
            first = layers.conv(in_channels, width, 7, stride=2, padding=3, bias=False)
            self.features = nn.Sequential(first, layers.pooling("max", 3, stride=2, padding=1))
        else:
            self.features = nn.Sequential(layers.conv(in_channels, width, 3, padding=1, bias=False))
        c_in, done = width, 0
        for stage, count in enumerate(blocks):
            stage_width = base_width * 2**stage
            c_out = layers.channels(stage_width) * EXPANSION[block]
            inner = layers.channels(stage_width * inner_width, multiple_of=cardinality)
            for position in range(count):
                stride = 2 if stage > 0 and position == 0 else 1
                if block == "basic":
                    branch = basic(layers, c_in, c_out, stride)
                else:
                    branch = bottleneck(layers, c_in, inner, c_out, stride, cardinality)
                if squeeze_excitation:
                    branch.append(SqueezeExcitation(layers, c_out, squeeze_excitation))
                done += 1
                beside = shortcut_of(layers, shortcut, c_in, c_out, stride)
                self.features.append(Block(layers, branch, beside, depth=done / sum(blocks)))
                c_in = c_out
        output_shape(self.features, in_channels, image_size)  # refuses images that do not survive
        self.classifier = layers.averaged(c_in, num_classes)
