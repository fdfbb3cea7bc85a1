"""A network of this project's own."""

from torch import nn

from cnnlab.models.layers import Layers


class TinyNet(nn.Sequential):
    """Two convolutions of stride 2, a global average, a linear layer.

    layers: makes the blocks with the norm, activation, width and dropout that a cell is about, so that no network asks
    for any of them. The other arguments are the keys of conf/model/tinynet.yaml.
    """

    def __init__(self, layers: Layers, num_classes: int, in_channels: int, image_size: int, maps: int) -> None:
        width = layers.channels(maps)
        super().__init__(
            layers.conv(in_channels, width, 3, stride=2, padding=1),
            layers.conv(width, 2 * width, 3, stride=2, padding=1),
            layers.averaged(2 * width, num_classes),
        )
