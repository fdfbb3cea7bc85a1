"""ResNet v2 (He, Zhang, Ren, Sun: Identity mappings in deep residual networks, 2016).

With the same blocks: wide residual networks (Zagoruyko and Komodakis, 2016).
"""

from torch import nn

from cnnlab.errors import require_one_of
from cnnlab.models.image import output_shape, stem_for
from cnnlab.models.layers import Layers
from cnnlab.models.parts.classified import Classified
from cnnlab.models.parts.residual import EXPANSION, PreactivatedBlock, shortcut_of


def basic(layers: Layers, c_in: int, c_out: int, stride: int, drop: list[nn.Module]) -> nn.Sequential:
    """[3x3, 3x3]; the block has normed and activated before it. drop: between the two (Zagoruyko, fig. 1d)."""
    first = layers.conv(c_in, c_out, 3, stride=stride, padding=1, bias=False)
    return nn.Sequential(*first, *drop, *last_of(layers, c_out, c_out, 3))


def bottleneck(layers: Layers, c_in: int, inner: int, c_out: int, stride: int) -> nn.Sequential:
    """[1x1, 3x3, 1x1] (fig. 1b)."""
    return nn.Sequential(
        layers.conv(c_in, inner, 1, bias=False),
        layers.conv(inner, inner, 3, stride=stride, padding=1, bias=False),
        *last_of(layers, inner, c_out, 1),
    )


def last_of(layers: Layers, c_in: int, c_out: int, kernel: int) -> nn.Sequential:
    """A convolution that is added as it is: without norm, activation or bias."""
    return layers.conv(c_in, c_out, kernel, padding=kernel // 2, bias=False, normalize=False, activate=False)


class PreactResNet(Classified):
    """ResNet with norm and activation before each convolution, so that the shortcuts stay clean from end to end.

    Keys as ResNet's; widen: how much wider the stages are than base_width (k of wide residual networks, whose
    dropout lies inside the blocks; elsewhere it lies before the output).

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
        widen: int,
    ) -> None:
        super().__init__()
        require_one_of("model.block", block, EXPANSION)
        self.stem = stem_for(stem, image_size)
        wide = widen > 1
        c_in, done = layers.channels(base_width), 0
        kernel, stride = (7, 2) if self.stem == "imagenet" else (3, 1)
        first = layers.conv(in_channels, c_in, kernel, stride=stride, padding=kernel // 2, bias=False)
        self.features = nn.Sequential(first)
        if self.stem == "imagenet":
            self.features.append(layers.pooling("max", 3, stride=2, padding=1))
        for stage, count in enumerate(blocks):
            inner = layers.channels(base_width * widen * 2**stage)
            c_out = inner * EXPANSION[block]
            for position in range(count):
                stride = 2 if stage > 0 and position == 0 else 1
                if block == "basic":
                    branch = basic(layers, c_in, c_out, stride, layers.drop() if wide else [])
                else:
                    branch = bottleneck(layers, c_in, inner, c_out, stride)
                done += 1
                beside = shortcut_of(layers, shortcut, c_in, c_out, stride, normalize=False)
                block_here = PreactivatedBlock(layers, c_in, branch, beside, depth=done / sum(blocks))
                if done == 1:  # the stem has normed and activated for both of its ways (appendix)
                    block_here.preactivate = nn.Sequential()
                self.features.append(block_here)
                c_in = c_out
        self.features.append(nn.Sequential(*layers.normalization(c_in), layers.activate()))
        output_shape(self.features, in_channels, image_size)  # refuses images that do not survive
        self.classifier = layers.averaged(c_in, num_classes, drop=not wide)
