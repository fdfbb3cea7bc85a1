"""MobileNet v1 (Howard et al.: MobileNets, 2017, table 1)."""

from torch import nn

from cnnlab.models.image import output_shape, stem_for
from cnnlab.models.layers import Layers
from cnnlab.models.parts.classified import Classified

# Width and stride of each depthwise separable convolution.
TABLE = (
    *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)),
    *((512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1)),
)


def separable(layers: Layers, c_in: int, c_out: int, stride: int) -> nn.Sequential:
    """3x3 in each map alone, then 1x1 across maps, both with norm and activation (fig. 3, right)."""
    return nn.Sequential(
        layers.conv(c_in, c_in, 3, stride=stride, padding=1, groups=c_in, bias=False),
        layers.conv(c_in, c_out, 1, bias=False),
    )


class MobileNetV1(Classified):
    """A 3x3 convolution, thirteen depthwise separable ones, global average, one linear layer.

    224 -> 112x112x32 -> 56x56x128 -> 28x28x256 -> 14x14x512 -> 7x7x1024, with 4,231,976 parameters at 1000 classes.
    model.width is the paper's multiplier alpha. Stem 'small': stride 1 in the first layer.

    Raises:
        UserError: the stem is not known, or the image too small.
    """

    def __init__(self, layers: Layers, num_classes: int, in_channels: int, image_size: int, stem: str) -> None:
        super().__init__()
        self.stem = stem_for(stem, image_size)
        c_in = layers.channels(32)
        stride = 2 if self.stem == "imagenet" else 1
        self.features = nn.Sequential(layers.conv(in_channels, c_in, 3, stride=stride, padding=1, bias=False))
        for width, stride in TABLE:
            c_out = layers.channels(width)
            self.features.append(separable(layers, c_in, c_out, stride))
            c_in = c_out
        output_shape(self.features, in_channels, image_size)  # refuses images that do not survive
        self.classifier = layers.averaged(c_in, num_classes)
