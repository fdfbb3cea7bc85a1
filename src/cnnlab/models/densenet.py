"""DenseNet (Huang, Liu, van der Maaten, Weinberger: Densely connected convolutional networks, 2017, table 1)."""

import torch
from torch import Tensor, nn

from cnnlab.models.image import output_shape, stem_for
from cnnlab.models.layers import Layers
from cnnlab.models.parts.classified import Classified


class DenseLayer(nn.Module):
    """x beside `growth` new maps of it: [3x3], or [1x1, 3x3] with a bottleneck of 4 * growth maps (DenseNet-B)."""

    def __init__(self, layers: Layers, c_in: int, growth: int, bottleneck: bool) -> None:
        super().__init__()
        self.branch = nn.Sequential()
        if bottleneck:
            self.branch.extend([layers.preactivated(c_in, 4 * growth, 1), *layers.drop()])
            c_in = 4 * growth
        self.branch.extend([layers.preactivated(c_in, growth, 3, padding=1), *layers.drop()])

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.branch(x)], dim=1)


class DenseNet(Classified):
    """Dense blocks, between them 1x1 convolutions that keep a share `compression` of the maps, and average pooling.

    blocks counts the layers of each block; growth is k, initial the maps of the first convolution.
    Stem 'imagenet': 7x7, stride 2, and max pooling; 'small': one 3x3 at full resolution. Dropout lies after each
    convolution but the first, as the paper has it on CIFAR without augmentation (section 4.2).

    Raises:
        UserError: the stem is not known, or the image too small.
    """

    def __init__(
        self,
        layers: Layers,
        num_classes: int,
        in_channels: int,
        image_size: int,
        stem: str,
        blocks: list[int],
        growth: int,
        initial: int,
        bottleneck: bool,
        compression: float,
    ) -> None:
        super().__init__()
        self.stem = stem_for(stem, image_size)
        c_in, k = layers.channels(initial), layers.channels(growth)
        if self.stem == "imagenet":
            self.features = nn.Sequential(
                layers.conv(in_channels, c_in, 7, stride=2, padding=3, bias=False),
                layers.pooling("max", 3, stride=2, padding=1),
            )
        else:
            plain = layers.conv(in_channels, c_in, 3, padding=1, bias=False, normalize=False, activate=False)
            self.features = nn.Sequential(plain)
        for position, count in enumerate(blocks):
            if position > 0:
                c_out = int(c_in * compression)
                transition = layers.preactivated(c_in, c_out, 1)
                self.features.extend([transition, *layers.drop(), layers.pooling("avg", 2)])
                c_in = c_out
            for _ in range(count):
                self.features.append(DenseLayer(layers, c_in, k, bottleneck))
                c_in += k
        self.features.append(nn.Sequential(*layers.normalization(c_in), layers.activate()))
        output_shape(self.features, in_channels, image_size)  # refuses images that do not survive
        self.classifier = layers.averaged(c_in, num_classes, drop=False)
