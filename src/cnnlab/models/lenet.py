"""LeNet-5 (LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition, 1998, fig. 2)."""

from torch import Tensor, nn

from cnnlab.errors import UserError
from cnnlab.models.image import features_of
from cnnlab.models.layers import Layers

SMALLEST = 20  # pixels; padded by two on each side, 24 -> 20 -> 10 -> 6 -> 3 leaves something to classify


class LeNet5(nn.Module):
    """C1 S2 C3 S4 C5 F6 in their usual modern form: C3 fully connected, max pooling, a linear output.

    32x32x1 -> 28x28x6 -> 14x14x6 -> 10x10x16 -> 5x5x16 -> 120 -> 84 -> 10, with 61,706 parameters. Images below
    32 pixels are padded by two on each side, which is how the paper centres 28x28 digits in 32x32.
    """

    def __init__(self, layers: Layers, num_classes: int, in_channels: int, image_size: int) -> None:
        super().__init__()
        if image_size < SMALLEST:
            raise UserError(f"datamodule.image_size={image_size} is too small for LeNet-5, which needs {SMALLEST}")
        self.features = nn.Sequential(
            layers.conv(in_channels, 6, 5, padding=2 if image_size < 32 else 0),
            nn.MaxPool2d(2),
            layers.conv(6, 16, 5),
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            layers.hidden(features_of(self.features, in_channels, image_size), 120),
            layers.hidden(120, 84),
            layers.logits(84, num_classes),
        )

    def forward(self, images: Tensor) -> Tensor:
        """[N, C, H, W] -> logits [N, K]."""
        logits: Tensor = self.classifier(self.features(images))
        return logits
