"""SqueezeNet (Iandola et al.: AlexNet-level accuracy with 50x fewer parameters, 2016, table 1)."""

from torch import nn

from cnnlab.errors import require_one_of
from cnnlab.models.image import output_shape, stem_for
from cnnlab.models.layers import Layers
from cnnlab.models.parts.branches import Branch, Branches, branch
from cnnlab.models.parts.classified import Classified

# Width and kernel of the first convolution; then poolings (None) and fire modules (squeeze, expand of each size).
VERSIONS: dict[str, tuple[tuple[int, int], tuple[tuple[int, int] | None, ...]]] = {
    "1.0": (
        (96, 7),
        (None, (16, 64), (16, 64), (32, 128), None, (32, 128), (48, 192), (48, 192), (64, 256), None, (64, 256)),
    ),
    "1.1": (
        (64, 3),
        (None, (16, 64), (16, 64), None, (32, 128), (32, 128), None, (48, 192), (48, 192), (64, 256), (64, 256)),
    ),
}


def fire(layers: Layers, c_in: int, squeeze: int, expand: int) -> Branch:
    """[1x1] squeezes, [1x1] | [3x3] expand (fig. 1)."""
    squeezed = branch(layers, c_in, (squeeze, 1))
    expanded = Branches(branch(layers, squeezed.c_out, (expand, 1)), branch(layers, squeezed.c_out, (expand, 3)))
    return Branch(expanded.c_out, *squeezed, expanded)


class SqueezeNet(Classified):
    """Fire modules, and the average of a map per class; no linear layer.

    version '1.0': the paper's, 1,248,424 parameters at 1000 classes; '1.1': the authors' later one, with less than
    half the operations: 1,235,496. Stem 'small': 3x3, stride 1.

    Raises:
        UserError: version or stem is not known, or the image too small.
    """

    def __init__(
        self, layers: Layers, num_classes: int, in_channels: int, image_size: int, stem: str, version: str
    ) -> None:
        super().__init__()
        require_one_of("model.version", version, VERSIONS)
        self.stem = stem_for(stem, image_size)
        (width, kernel), modules = VERSIONS[version]
        c_in = layers.channels(width)
        if self.stem == "imagenet":
            self.features = nn.Sequential(layers.conv(in_channels, c_in, kernel, stride=2))
        else:
            self.features = nn.Sequential(layers.conv(in_channels, c_in, 3, padding=1))
        for module in modules:
            if module is None:
                self.features.append(layers.pooling("max", 3, stride=2, ceil_mode=True))
            else:
                block = fire(layers, c_in, *module)
                self.features.append(block)
                c_in = block.c_out
        output_shape(self.features, in_channels, image_size)  # refuses images that do not survive
        self.classifier = nn.Sequential(*layers.drop(), layers.logits_map(c_in, num_classes), *layers.average_of_maps())
