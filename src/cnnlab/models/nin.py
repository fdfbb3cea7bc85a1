"""Network in network (Lin, Chen, Yan, 2014, section 4 and the authors' released definitions)."""

from torch import nn

from cnnlab.errors import require_one_of
from cnnlab.models.image import output_shape, stem_for
from cnnlab.models.layers import Layers
from cnnlab.models.parts.classified import Classified

# Each block: kernel, stride and padding of its convolution, and the widths of it and of the 1x1 layers over it.
# None is the number of classes. After each block but the last: the kind of its pooling.
VARIANTS = {
    "cifar": (
        ((5, 1, 2, (192, 160, 96)), "max"),
        ((5, 1, 2, (192, 192, 192)), "avg"),
        ((3, 1, 1, (192, 192, None)), None),
    ),
    "imagenet": (
        ((11, 4, 0, (96, 96, 96)), "max"),
        ((5, 1, 2, (256, 256, 256)), "max"),
        ((3, 1, 1, (384, 384, 384)), "max"),
        ((3, 1, 1, (1024, 1024, None)), None),
    ),
}


class NiN(Classified):
    """Mlpconv blocks, each a convolution with two 1x1 layers over it, and the average of a map per class.

    variant 'cifar': three blocks, 966,986 parameters at 10 classes; dropout after the poolings.
    variant 'imagenet': four blocks, 224 -> 54 -> 27 -> 13 -> 6, 7,595,176 parameters at 1000 classes; dropout before
    the last. Its stem 'small' begins with 3x3, stride 1.

    Raises:
        UserError: variant or stem is not known, or the image too small.
    """

    def __init__(
        self, layers: Layers, num_classes: int, in_channels: int, image_size: int, stem: str, variant: str
    ) -> None:
        super().__init__()
        require_one_of("model.variant", variant, VARIANTS)
        if variant == "cifar":
            require_one_of("model.stem", stem, ("small",))
        self.stem = stem_for(stem, image_size)
        self.features = nn.Sequential()
        blocks = VARIANTS[variant]
        c_in = in_channels
        for position, ((kernel, stride, padding, widths), pooling) in enumerate(blocks):
            if stride > 1 and self.stem == "small":
                kernel, stride, padding = 3, 1, 1
            for layer, width in enumerate(widths):
                if width is None:
                    break
                if layer > 0:
                    kernel, stride, padding = 1, 1, 0
                c_out = layers.channels(width)
                self.features.append(layers.conv(c_in, c_out, kernel, stride=stride, padding=padding))
                c_in = c_out
            if pooling:
                self.features.append(layers.pooling(pooling, 3, stride=2, ceil_mode=True))
                if variant == "cifar" or position == len(blocks) - 2:
                    self.features.extend(layers.drop())
        output_shape(self.features, in_channels, image_size)  # refuses images that do not survive
        self.classifier = nn.Sequential(layers.logits_map(c_in, num_classes), *layers.average_of_maps())
