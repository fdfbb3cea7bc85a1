"""VGG (Simonyan, Zisserman: Very deep convolutional networks for large-scale image recognition, 2015, table 1)."""

from torch import Tensor, nn

from cnnlab.errors import require_one_of
from cnnlab.models.image import features_of, stem_for
from cnnlab.models.layers import Layers

# 3x3 convolutions in each of the five stages: configurations A, B, D, E.
DEPTHS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
WIDTHS = (64, 128, 256, 512, 512)


class VGG(nn.Module):
    """Five stages of 3x3 convolutions, each halved by max pooling, and two hidden layers.

    Stem 'imagenet': hidden layers of 4096 over 7x7x512 (224 -> 112 -> 56 -> 28 -> 14 -> 7).
    Stem 'small': hidden layers of 512 over what is left (32 -> 1), as Liu and Deng (2015) fit VGG to CIFAR-10;
    poolings round up, so that 28 pixels survive five of them.
    """

    def __init__(
        self, layers: Layers, num_classes: int, in_channels: int, image_size: int, stem: str, depth: int
    ) -> None:
        super().__init__()
        require_one_of("model.depth", depth, DEPTHS)
        self.stem = stem_for(stem, image_size)
        imagenet = self.stem == "imagenet"
        hidden = 4096 if imagenet else 512
        self.features = nn.Sequential()
        channels = in_channels
        for convolutions, width in zip(DEPTHS[depth], WIDTHS, strict=True):
            for _ in range(convolutions):
                self.features.append(layers.conv(channels, width, 3, padding=1))
                channels = width
            self.features.append(nn.MaxPool2d(2, ceil_mode=not imagenet))
        if imagenet:
            self.features.append(nn.AdaptiveAvgPool2d(7))  # nothing at 224; lets other sizes in
        self.classifier = nn.Sequential(
            nn.Flatten(),
            layers.hidden(features_of(self.features, in_channels, image_size), hidden),
            layers.hidden(hidden, hidden),
            layers.logits(hidden, num_classes),
        )

    def forward(self, images: Tensor) -> Tensor:
        """[N, C, H, W] -> logits [N, K]."""
        logits: Tensor = self.classifier(self.features(images))
        return logits
