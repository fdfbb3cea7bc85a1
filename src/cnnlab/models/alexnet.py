"""AlexNet (Krizhevsky, Sutskever, Hinton: ImageNet classification with deep convolutional neural networks, 2012)."""

from torch import Tensor, nn

from cnnlab.models.image import features_of, stem_for
from cnnlab.models.layers import Layers

# "One weird trick for parallelizing convolutional neural networks" (2014): the single-tower form that libraries ship.
WIDTHS = (64, 192, 384, 256, 256)


class AlexNet(nn.Module):
    """Five convolutions, three overlapping max poolings (3x3, stride 2), two hidden layers of 4096.

    Stem 'imagenet': 11x11, stride 4: 224 -> 55 -> 27 -> 13 -> 6, with 61,100,840 parameters at 1000 classes.
    Stem 'small': 3x3, stride 1 in the first layer: 32 -> 15 -> 7 -> 3.
    """

    def __init__(self, layers: Layers, num_classes: int, in_channels: int, image_size: int, stem: str) -> None:
        super().__init__()
        self.stem = stem_for(stem, image_size)
        imagenet = self.stem == "imagenet"
        c1, c2, c3, c4, c5 = WIDTHS
        kernel, stride, padding = (11, 4, 2) if imagenet else (3, 1, 1)
        self.features = nn.Sequential(
            layers.conv(in_channels, c1, kernel, stride=stride, padding=padding),
            nn.MaxPool2d(3, 2),
            layers.conv(c1, c2, 5, padding=2),
            nn.MaxPool2d(3, 2),
            layers.conv(c2, c3, 3, padding=1),
            layers.conv(c3, c4, 3, padding=1),
            layers.conv(c4, c5, 3, padding=1),
            nn.MaxPool2d(3, 2),
        )
        if imagenet:
            self.features.append(nn.AdaptiveAvgPool2d(6))  # nothing at 224; lets other sizes in
        self.classifier = nn.Sequential(
            nn.Flatten(),
            layers.hidden(features_of(self.features, in_channels, image_size), 4096),
            layers.hidden(4096, 4096),
            layers.logits(4096, num_classes),
        )

    def forward(self, images: Tensor) -> Tensor:
        """[N, C, H, W] -> logits [N, K]."""
        logits: Tensor = self.classifier(self.features(images))
        return logits
