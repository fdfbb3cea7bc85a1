"""VGG (Simonyan, Zisserman: Very deep convolutional networks for large-scale image recognition, 2015, table 1)."""

from torch import nn

from cnnlab.errors import require_one_of
from cnnlab.models.image import features_of, stem_for
from cnnlab.models.layers import Layers
from cnnlab.models.parts.classified import Classified
from cnnlab.models.parts.normalization import local_response

# Kernels of each of the five stages.
CONFIGURATIONS = {
    "A": ((3,), (3,), (3, 3), (3, 3), (3, 3)),
    "B": ((3, 3), (3, 3), (3, 3), (3, 3), (3, 3)),
    "C": ((3, 3), (3, 3), (3, 3, 1), (3, 3, 1), (3, 3, 1)),
    "D": ((3, 3), (3, 3), (3, 3, 3), (3, 3, 3), (3, 3, 3)),
    "E": ((3, 3), (3, 3), (3, 3, 3, 3), (3, 3, 3, 3), (3, 3, 3, 3)),
}
WIDTHS = (64, 128, 256, 512, 512)


def with_kernels_of(size: int, kernels: tuple[int, ...]) -> list[int]:
    """The same field of view through larger kernels: (3, 3, 3) -> [5, 3] or [7] (section 2.3)."""
    field = 1 + 2 * kernels.count(3)
    larger = []
    while field > 1:
        larger.append(min(size, field))
        field -= larger[-1] - 1
    return larger + [1] * kernels.count(1)


class VGG(Classified):
    """Five stages of 3x3 convolutions, each halved by max pooling, and two hidden layers.

    configuration: A, B, C, D or E: 11, 13, 16 (three of them 1x1), 16, 19 layers with weights.
    lrn: local response normalization after the first convolution, as in A-LRN.
    kernel: 3; with 5 or 7 (D and E only) each two or three convolutions become one that sees as much (section 4.1).
    Stem 'imagenet': hidden layers of 4096 over 7x7x512 (224 -> 112 -> 56 -> 28 -> 14 -> 7).
    Stem 'small': hidden layers of 512 over what is left (32 -> 1), as Liu and Deng (2015) fit VGG to CIFAR-10;
    poolings round up, so that 28 pixels survive five of them.

    Raises:
        UserError: configuration, kernel or stem is not known.
    """

    def __init__(
        self,
        layers: Layers,
        num_classes: int,
        in_channels: int,
        image_size: int,
        stem: str,
        configuration: str,
        lrn: bool,
        kernel: int,
    ) -> None:
        super().__init__()
        require_one_of("model.configuration", configuration, CONFIGURATIONS)
        longest = max(kernels.count(3) for kernels in CONFIGURATIONS[configuration])
        require_one_of("model.kernel", kernel, [size for size in (3, 5, 7) if size // 2 <= longest])
        self.stem = stem_for(stem, image_size)
        imagenet = self.stem == "imagenet"
        hidden = 4096 if imagenet else 512
        self.features = nn.Sequential()
        c_in = in_channels
        for kernels, width in zip(CONFIGURATIONS[configuration], WIDTHS, strict=True):
            c_out = layers.channels(width)
            for size in with_kernels_of(kernel, kernels):
                self.features.append(layers.conv(c_in, c_out, size, padding=size // 2))
                if lrn and len(self.features) == 1:
                    self.features.append(local_response())
                c_in = c_out
            self.features.append(layers.pooling("max", 2, ceil_mode=not imagenet))
        if imagenet:
            self.features.append(nn.AdaptiveAvgPool2d(7))  # nothing at 224; lets other sizes in
        f_in = features_of(self.features, in_channels, image_size)
        self.classifier = layers.fully_connected(f_in, (hidden, hidden), num_classes)
