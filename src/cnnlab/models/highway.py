"""Convolutional highway networks (Srivastava, Greff, Schmidhuber: Training very deep networks, 2015, section 4)."""

from torch import Tensor, nn

from cnnlab.models.image import output_shape
from cnnlab.models.layers import Layers
from cnnlab.models.parts.classified import Classified


class Highway(nn.Module):
    """H(x) T(x) + x (1 - T(x)), H and T 3x3 convolutions, T with a sigmoid whose bias lets x through at first."""

    def __init__(self, layers: Layers, channels: int) -> None:
        super().__init__()
        self.transform = layers.conv(channels, channels, 3, padding=1)
        gate = layers.conv(channels, channels, 3, padding=1, normalize=False, activate=False, initial_bias=-2.0)
        self.gate = nn.Sequential(*gate, nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.gate(x) * (self.transform(x) - x)
        return out


class HighwayNetwork(Classified):
    """Stages of one plain convolution, which changes the width, and highway layers; each halved by max pooling.

    widths: of the stages; depth: highway layers of each. The 19-layer network of table 2 has 2.3 M parameters
    and follows FitNet-4; the paper does not list its widths, which are the last ones of FitNet-4's stages here.

    Raises:
        UserError: the image is too small.
    """

    def __init__(
        self, layers: Layers, num_classes: int, in_channels: int, image_size: int, widths: list[int], depth: int
    ) -> None:
        super().__init__()
        self.features = nn.Sequential()
        c_in = in_channels
        for width in widths:
            c_out = layers.channels(width)
            self.features.append(layers.conv(c_in, c_out, 3, padding=1))
            self.features.extend(Highway(layers, c_out) for _ in range(depth))
            self.features.append(layers.pooling("max", 2))
            c_in = c_out
        output_shape(self.features, in_channels, image_size)  # refuses images that do not survive
        self.classifier = layers.averaged(c_in, num_classes)
