"""LeNet-5 (LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition, 1998, fig. 2)."""

from typing import Any

from torch import Tensor, nn

from cnnlab.errors import UserError, require_one_of
from cnnlab.models.image import features_of
from cnnlab.models.layers import Layers
from cnnlab.models.parts.classified import Classified
from cnnlab.models.parts.lenet_1998 import OutputCodes, PartialConvolution, Subsampling

SMALLEST = 20  # pixels; padded by two on each side, 24 -> 20 -> 10 -> 6 -> 3 leaves something to classify


def lenet5(form: str, **shape: Any) -> nn.Module:
    """LeNet-5 in its 'modern' form or as in the 'paper'.

    Raises:
        UserError: the form is not known.
    """
    forms = {"modern": LeNet5, "paper": LeNet5Of1998}
    require_one_of("model.form", form, forms)
    return forms[form](**shape)


def padding_for(image_size: int) -> int:
    """Two pixels on each side below 32: the paper centres 28x28 digits in 32x32."""
    if image_size < SMALLEST:
        raise UserError(f"datamodule.image_size={image_size} is too small for LeNet-5, which needs {SMALLEST}")
    return 2 if image_size < 32 else 0


class LeNet5(Classified):
    """C1 S2 C3 S4 C5 F6 in their usual modern form: C3 fully connected, max pooling, a linear output.

    32x32x1 -> 28x28x6 -> 14x14x6 -> 10x10x16 -> 5x5x16 -> 120 -> 84 -> 10, with 61,706 parameters.
    kernel 5 is the paper's; 3 sees the same 5x5 pixels through two convolutions.

    Raises:
        UserError: the kernel is not known, or the image too small.
    """

    def __init__(self, layers: Layers, num_classes: int, in_channels: int, image_size: int, kernel: int) -> None:
        super().__init__()
        require_one_of("model.kernel", kernel, (3, 5))
        c1, c3 = layers.channels(6), layers.channels(16)
        self.features = nn.Sequential(
            *layers.stack(in_channels, c1, 5, kernel, padding=padding_for(image_size)),
            layers.pooling("max", 2),
            *layers.stack(c1, c3, 5, kernel, padding=0),
            layers.pooling("max", 2),
        )
        f_in = features_of(self.features, in_channels, image_size)
        self.classifier = layers.fully_connected(f_in, (120, 84), num_classes)


class LeNet5Of1998(nn.Module):
    """As published: C3 partly connected, trainable subsampling, distances to fixed codes as output.

    Shapes as above, with 60,000 parameters: C1 156, S2 12, C3 1516, S4 32, C5 48120, F6 10164.

    Raises:
        UserError: other than ten classes, grey images of 28 or 32 pixels, 5x5 kernels, the paper's width and pooling.
    """

    def __init__(self, layers: Layers, num_classes: int, in_channels: int, image_size: int, kernel: int) -> None:
        super().__init__()
        as_it_was = num_classes == 10 and in_channels == 1 and kernel == 5 and image_size in (28, 32)
        if not (as_it_was and layers.width == 1 and layers.pool == "paper"):
            raise UserError(
                "model.form=paper is LeNet-5 as it was: ten classes, grey images of 28 or 32 pixels, model.kernel=5, "
                "model.width=1 and model.pool=paper. model.form=modern takes others"
            )
        self.features = nn.Sequential(
            layers.conv(in_channels, 6, 5, padding=padding_for(image_size)),
            Subsampling(layers, 6),
            PartialConvolution(layers),
            Subsampling(layers, 16),
            layers.conv(16, 120, 5),
        )
        self.classifier = nn.Sequential(nn.Flatten(), *layers.drop(), layers.hidden(120, 84), OutputCodes())

    def forward(self, images: Tensor) -> Tensor:
        """[N, C, 32, 32] -> logits [N, 10]: minus the squared distances to the codes."""
        logits: Tensor = self.classifier(self.features(images))
        return logits
