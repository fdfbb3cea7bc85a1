"""ZFNet (Zeiler, Fergus: Visualizing and understanding convolutional networks, 2013, fig. 3)."""

from torch import nn

from cnnlab.models.image import features_of, stem_for
from cnnlab.models.layers import Layers
from cnnlab.models.parts.classified import Classified
from cnnlab.models.parts.normalization import local_response


class ZFNet(Classified):
    """AlexNet with a first layer of 7x7, stride 2, that keeps what 11x11, stride 4, loses.

    224x224x3 -> 110x110x96 -> 55x55x96 -> 26x26x256 -> 13x13x256 -> 6x6x256, with 62,357,608 parameters.
    lrn: contrast normalization after the first two poolings, in the form of AlexNet's local response normalization.
    Stem 'small': 3x3, stride 1 in the first layer and no stride in the second: 32 -> 16 -> 8 -> 4.

    Raises:
        UserError: the stem is not known, or the image too small.
    """

    def __init__(
        self, layers: Layers, num_classes: int, in_channels: int, image_size: int, stem: str, lrn: bool
    ) -> None:
        super().__init__()
        self.stem = stem_for(stem, image_size)
        imagenet = self.stem == "imagenet"
        kernel, stride = (7, 2) if imagenet else (3, 1)
        c1, c2, c3, c4, c5 = (layers.channels(width) for width in (96, 256, 384, 384, 256))
        self.features = nn.Sequential(
            layers.conv(in_channels, c1, kernel, stride=stride, padding=1),
            layers.pooling("max", 3, stride=2, ceil_mode=True),
            *([local_response()] if lrn else []),
            layers.conv(c1, c2, 5, stride=stride, padding=0 if imagenet else 2),
            layers.pooling("max", 3, stride=2, ceil_mode=True),
            *([local_response()] if lrn else []),
            layers.conv(c2, c3, 3, padding=1),
            layers.conv(c3, c4, 3, padding=1),
            layers.conv(c4, c5, 3, padding=1),
            layers.pooling("max", 3, stride=2),
        )
        f_in = features_of(self.features, in_channels, image_size)
        self.classifier = layers.fully_connected(f_in, (4096, 4096), num_classes)
