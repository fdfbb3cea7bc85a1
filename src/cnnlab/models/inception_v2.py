"""Inception v2 as its second paper has it (Szegedy et al.: Rethinking the Inception architecture, 2016, table 1)."""

from torch import nn

from cnnlab.errors import require_one_of
from cnnlab.models.image import output_shape, stem_for
from cnnlab.models.layers import Layers
from cnnlab.models.parts.auxiliary import WithAuxiliary
from cnnlab.models.parts.inception import at_8, at_17, at_35, auxiliary_head, from_17_to_8, from_35_to_17


def stem_of(layers: Layers, in_channels: int, imagenet: bool, kernel: int) -> nn.Sequential:
    """299x299x3 -> 35x35x288: GoogLeNet's 7x7, or the three 3x3 that it is factorized into, and three more 3x3."""
    c1, c2, c3, c4, c5 = (layers.channels(n) for n in (32, 64, 80, 192, 288))
    stride, padding = (2, 0) if imagenet else (1, 1)
    factorized = (
        layers.conv(in_channels, c1, 3, stride=stride, padding=padding),
        layers.conv(c1, c1, 3, padding=padding),
        layers.conv(c1, c2, 3, padding=1),
    )
    seven = layers.conv(in_channels, c2, 7, stride=stride, padding=3 * padding)
    return nn.Sequential(
        *(factorized if kernel == 3 else (seven,)),
        *([layers.pooling("max", 3, stride=2)] if imagenet else []),
        layers.conv(c2, c3, 3, padding=padding),
        layers.conv(c3, c4, 3, stride=stride, padding=padding),
        layers.conv(c4, c5, 3, padding=1),
    )


class InceptionV2(WithAuxiliary):
    """The 42-layer network: 5x5 as 3x3, 1xn and nx1, grids reduced by convolution and pooling side by side.

    299x299x3 -> 149x149x32 -> 147x147x64 -> 73x73x64 -> 71x71x80 -> 35x35x288 -> 17x17x768 -> 8x8x1280 -> 8x8x2048.
    The paper gives no widths inside the modules: they are those of Inception v3, with which it shares its grids.
    kernel: 3, or 7: one 7x7 in place of the stem's first three 3x3, as before section 6. The auxiliary head's last
    convolution has no norm; with auxiliary_norm it has, which is v3's BN-auxiliary.
    Stem 'small': no strides and poolings before the modules: 32 -> 15 -> 7.

    Raises:
        UserError: stem or kernel is not known, or the image too small.
    """

    def __init__(
        self,
        layers: Layers,
        num_classes: int,
        in_channels: int,
        image_size: int,
        stem: str,
        kernel: int,
        auxiliary: bool,
        auxiliary_norm: bool,
    ) -> None:
        require_one_of("model.kernel", kernel, (3, 7))
        stem = stem_for(stem, image_size)
        features = stem_of(layers, in_channels, stem == "imagenet", kernel)
        heads: dict[int, nn.Module] = {}
        c_in = layers.channels(288)
        for _ in range(3):
            features.append(module := at_35(layers, c_in, 64, kernels=(3,)))
            c_in = module.c_out
        features.append(module := from_35_to_17(layers, c_in))
        for inner in (128, 160, 160, 160, 192):
            features.append(module := at_17(layers, module.c_out, inner))
        if auxiliary:
            shape = (in_channels, image_size)
            heads[len(features) - 1] = auxiliary_head(layers, features, shape, num_classes, auxiliary_norm)
        features.append(module := from_17_to_8(layers, module.c_out))
        for _ in range(2):
            features.append(module := at_8(layers, module.c_out))
        output_shape(features, in_channels, image_size)  # refuses images that do not survive
        super().__init__(features, heads, layers.averaged(module.c_out, num_classes))
        self.stem = stem
