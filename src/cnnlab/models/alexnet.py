"""AlexNet (Krizhevsky, Sutskever, Hinton: ImageNet classification with deep convolutional neural networks, 2012)."""

from torch import nn

from cnnlab.errors import require_one_of
from cnnlab.models.image import features_of, stem_for
from cnnlab.models.layers import Layers
from cnnlab.models.parts.classified import Classified
from cnnlab.models.parts.normalization import local_response

# Widths of the five convolutions; groups of each (two GPUs in the paper); padding of the first.
FORMS = {
    "paper": ((96, 256, 384, 384, 256), (1, 2, 1, 2, 2), 0),
    "single": ((96, 256, 384, 384, 256), (1, 1, 1, 1, 1), 0),
    # Krizhevsky: One weird trick for parallelizing convolutional neural networks, 2014
    "torchvision": ((64, 192, 384, 256, 256), (1, 1, 1, 1, 1), 2),
}


class AlexNet(Classified):
    """Five convolutions, three overlapping poolings (3x3, stride 2), two hidden layers of 4096.

    form 'paper': two groups in the second, fourth and fifth convolution, as the paper split them over two GPUs:
    227x227x3 -> 55x55x96 -> 27x27x96 -> 13x13x256 -> 6x6x256 -> 9216, with 60,965,224 parameters at 1000 classes.
    form 'single': the same without groups: 62,378,344.
    form 'torchvision': the narrower one of 2014 that libraries ship, at 224: 61,100,840.
    lrn: local response normalization after the first two convolutions (section 3.3).
    Stem 'small': 3x3, stride 1 in the first layer: 32 -> 15 -> 7 -> 3.

    Raises:
        UserError: form or stem is not known, or the image too small.
    """

    def __init__(
        self, layers: Layers, num_classes: int, in_channels: int, image_size: int, stem: str, form: str, lrn: bool
    ) -> None:
        super().__init__()
        require_one_of("model.form", form, FORMS)
        widths, (g1, g2, g3, g4, g5), padding = FORMS[form]
        c1, c2, c3, c4, c5 = (layers.channels(width, multiple_of=2) for width in widths)
        self.stem = stem_for(stem, image_size)
        imagenet = self.stem == "imagenet"
        kernel, stride, padding = (11, 4, padding) if imagenet else (3, 1, 1)
        one = layers.paper_bias(1.0)  # conv 2, 4, 5, hidden layers: ReLUs begin with positive inputs (section 5)
        self.features = nn.Sequential(
            layers.conv(in_channels, c1, kernel, stride=stride, padding=padding, groups=g1),
            *([local_response()] if lrn else []),
            layers.pooling("max", 3, stride=2),
            layers.conv(c1, c2, 5, padding=2, groups=g2, initial_bias=one),
            *([local_response()] if lrn else []),
            layers.pooling("max", 3, stride=2),
            layers.conv(c2, c3, 3, padding=1, groups=g3),
            layers.conv(c3, c4, 3, padding=1, groups=g4, initial_bias=one),
            layers.conv(c4, c5, 3, padding=1, groups=g5, initial_bias=one),
            layers.pooling("max", 3, stride=2),
        )
        if imagenet and form == "torchvision":
            self.features.append(nn.AdaptiveAvgPool2d(6))  # nothing at 224; lets other sizes in
        f_in = features_of(self.features, in_channels, image_size)
        self.classifier = layers.fully_connected(f_in, (4096, 4096), num_classes, initial_bias=one)
