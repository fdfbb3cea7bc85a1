"""GoogLeNet, or Inception v1 (Szegedy et al.: Going deeper with convolutions, 2015, table 1 and section 5)."""

from torch import nn

from cnnlab.errors import require_one_of
from cnnlab.models.image import ForInception, output_shape, stem_for
from cnnlab.models.layers import Layers
from cnnlab.models.parts.auxiliary import WithAuxiliary
from cnnlab.models.parts.branches import Branch, Branches, branch
from cnnlab.models.parts.normalization import local_response
from cnnlab.models.parts.paired_draws import optional_weights

# Table 1: #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj
MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
LAST_OF_A_STAGE = ("3b", "4e")
TAPPED = ("4a", "4d")
FORMS = ("paper", "torchvision")


def inception(layers: Layers, c_in: int, name: str, form: str, kernel: int, bottleneck: bool) -> Branches:
    """[1x1] | [1x1, 3x3] | [1x1, 5x5] | [pool 3x3, 1x1], side by side (fig. 2b).

    Without bottleneck as in fig. 2a, but for the pooling's 1x1, which keeps every module's width.
    """
    n1, reduce3, n3, reduce5, n5, projected = MODULES[name]
    five = branch(layers, c_in, *([(reduce5, 1)] if bottleneck else []))
    c5 = layers.channels(n5)
    field = 5 if form == "paper" else 3
    return Branches(
        branch(layers, c_in, (n1, 1)),
        branch(layers, c_in, *([(reduce3, 1)] if bottleneck else []), (n3, 3)),
        Branch(c5, *five, *layers.stack(five.c_out, c5, field, kernel)),
        branch(layers, c_in, (projected, 1), first=layers.pooling("max", 3, stride=1, padding=1)),
    )


@optional_weights()
def auxiliary_head(layers: Layers, features: nn.Sequential, shape: tuple[int, int], num_classes: int) -> nn.Sequential:
    """Average pooling 5x5, stride 3 (14x14 -> 4x4), 128 1x1 convolutions, 1024 units with dropout of 70 %, logits."""
    c_in, side, _ = output_shape(features, *shape)
    maps, units = layers.channels(128), layers.channels(1024)
    pooled = (side - 5) // 3 + 1 if side >= 5 else 1
    return nn.Sequential(
        nn.AvgPool2d(5, 3) if side >= 5 else nn.AdaptiveAvgPool2d(1),
        layers.conv(c_in, maps, 1),
        nn.Flatten(),
        layers.hidden(maps * pooled**2, units, dropout=0.7),
        layers.logits(units, num_classes),
    )


class GoogLeNet(WithAuxiliary):
    """A stem, nine inception modules, global average, one linear layer; two auxiliary heads in training.

    224x224x3 -> 112x112x64 -> 56x56x192 -> 28x28x256 (3a) -> 14x14x512 (4a) -> 7x7x1024 (5b), with 6,998,552
    parameters at 1000 classes and 13,378,280 with the auxiliary heads.
    form 'torchvision': 3x3 in place of 5x5, as a slip made common; with BatchNorm and heads 13,004,888.
    kernel: 5, or 3: two 3x3 in place of each 5x5. bottleneck=False: no 1x1 before 3x3 and 5x5.
    lrn: local response normalization in the stem.
    transform_input: images come normalized by ImageNet's mean and std, and weights want them in -1..1.
    Stem 'small': 3x3, stride 1, and no pooling before the modules: 32 -> 16 -> 8.

    Raises:
        UserError: form, kernel or stem is not known, or the image too small.
    """

    def __init__(
        self,
        layers: Layers,
        num_classes: int,
        in_channels: int,
        image_size: int,
        stem: str,
        form: str,
        kernel: int,
        bottleneck: bool,
        auxiliary: bool,
        lrn: bool,
        transform_input: bool,
    ) -> None:
        require_one_of("model.form", form, FORMS)
        require_one_of("model.kernel", kernel, (3, 5) if form == "paper" else (3,))
        stem = stem_for(stem, image_size)
        imagenet = stem == "imagenet"
        c1, c2 = layers.channels(64), layers.channels(192)
        size, stride = (7, 2) if imagenet else (3, 1)
        features = nn.Sequential(
            *([ForInception(in_channels)] if transform_input else []),
            layers.conv(in_channels, c1, size, stride=stride, padding=size // 2),
            *([layers.pooling("max", 3, stride=2, ceil_mode=True)] if imagenet else []),
            *([local_response()] if lrn else []),
            layers.conv(c1, c1, 1),
            layers.conv(c1, c2, 3, padding=1),
            *([local_response()] if lrn else []),
            *([layers.pooling("max", 3, stride=2, ceil_mode=True)] if imagenet else []),
        )
        heads: dict[int, nn.Module] = {}
        c_in = c2
        for name in MODULES:
            module = inception(layers, c_in, name, form, kernel, bottleneck)
            c_in = module.c_out
            features.append(module)
            if auxiliary and name in TAPPED:
                heads[len(features) - 1] = auxiliary_head(layers, features, (in_channels, image_size), num_classes)
            if name in LAST_OF_A_STAGE:
                # torchvision halves the second time by 2x2
                size = 2 if form == "torchvision" and name == "4e" else 3
                features.append(layers.pooling("max", size, stride=2, ceil_mode=True))
        output_shape(features, in_channels, image_size)  # refuses images that do not survive
        super().__init__(features, heads, layers.averaged(c_in, num_classes))
        self.stem = stem
