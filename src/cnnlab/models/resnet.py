"""ResNet (He, Zhang, Ren, Sun: Deep residual learning for image recognition, 2016, table 1 and section 4.2)."""

from functools import partial

import torch.nn.functional as F
from torch import Tensor, nn

from cnnlab.errors import require_one_of
from cnnlab.models.image import output_shape, stem_for
from cnnlab.models.layers import Layers


class PadShortcut(nn.Module):
    """Option A: takes every stride-th pixel and fills the new channels with zeros; no parameters."""

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.more = c_out - c_in
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.more // 2, self.more - self.more // 2))


def projection(layers: Layers, c_in: int, c_out: int, stride: int) -> nn.Module:
    """Option B: a 1x1 convolution where the shape changes."""
    return layers.conv(c_in, c_out, 1, stride=stride, bias=False, activate=False)


class Block(nn.Module):
    """activation(branch(x) + shortcut(x)); `depth` in (0, 1] is how far down the network it lies (stochastic depth)."""

    def __init__(self, layers: Layers, branch: nn.Sequential, shortcut: nn.Module, depth: float) -> None:
        super().__init__()
        self.branch = branch.extend(layers.drop_branch(depth))
        self.shortcut = shortcut
        self.activation = layers.activate()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.activation(self.branch(x) + self.shortcut(x))
        return out


def basic(layers: Layers, c_in: int, width: int, stride: int) -> nn.Sequential:
    """[3x3, 3x3] (fig. 5, left)."""
    return nn.Sequential(
        layers.conv(c_in, width, 3, stride=stride, padding=1, bias=False),
        layers.conv(width, width, 3, padding=1, bias=False, activate=False),
    )


def bottleneck(layers: Layers, c_in: int, width: int, stride: int) -> nn.Sequential:
    """[1x1, 3x3, 1x1] (fig. 5, right); the stride lies on the 3x3, as in every implementation since Facebook's."""
    return nn.Sequential(
        layers.conv(c_in, width, 1, bias=False),
        layers.conv(width, width, 3, stride=stride, padding=1, bias=False),
        layers.conv(width, 4 * width, 1, bias=False, activate=False),
    )


BLOCKS = {"basic": (basic, 1), "bottleneck": (bottleneck, 4)}  # the branch, and how much wider its output is


class ResNet(nn.Module):
    """A stem, stages of residual blocks that halve the image and double the width, global average, one linear layer.

    `blocks` counts the blocks of each stage and `width` is the first stage's. Stem 'imagenet': 7x7, stride 2, and max
    pooling; 'small': one 3x3 at full resolution. Shortcuts are the identity where shapes agree, else option A (zeros)
    or B (projection).

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
        width: int,
        shortcut: str,
    ) -> None:
        super().__init__()
        require_one_of("model.block", block, BLOCKS)
        require_one_of("model.shortcut", shortcut, ("A", "B"))
        self.stem = stem_for(stem, image_size)
        branch, expansion = BLOCKS[block]
        change_shape = PadShortcut if shortcut == "A" else partial(projection, layers)
        if self.stem == "imagenet":
            first = layers.conv(in_channels, width, 7, stride=2, padding=3, bias=False)
            self.features = nn.Sequential(first, nn.MaxPool2d(3, 2, padding=1))
        else:
            self.features = nn.Sequential(layers.conv(in_channels, width, 3, padding=1, bias=False))
        channels, done = width, 0
        for stage, count in enumerate(blocks):
            stage_width = width * 2**stage
            for position in range(count):
                stride = 2 if stage > 0 and position == 0 else 1
                out = stage_width * expansion
                same = stride == 1 and channels == out
                done += 1
                self.features.append(
                    Block(
                        layers,
                        branch(layers, channels, stage_width, stride),
                        nn.Identity() if same else change_shape(channels, out, stride),
                        depth=done / sum(blocks),
                    )
                )
                channels = out
        output_shape(self.features, in_channels, image_size)  # refuses images that do not survive
        self.classifier = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), *layers.drop(), layers.logits(channels, num_classes)
        )

    def forward(self, images: Tensor) -> Tensor:
        """[N, C, H, W] -> logits [N, K]."""
        logits: Tensor = self.classifier(self.features(images))
        return logits
