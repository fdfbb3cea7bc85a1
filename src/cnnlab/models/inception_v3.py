"""Inception v3 (Szegedy, Vanhoucke, Ioffe, Shlens, Wojna: Rethinking the Inception architecture, 2016)."""

from torch import nn

from cnnlab.errors import require_one_of
from cnnlab.models.image import ForInception, output_shape, stem_for
from cnnlab.models.layers import Layers
from cnnlab.models.parts.auxiliary import WithAuxiliary
from cnnlab.models.parts.inception import at_8, at_17, at_35, auxiliary_head, from_17_to_8, from_35_to_17


def stem_of(layers: Layers, in_channels: int, imagenet: bool) -> nn.Sequential:
    """299x299x3 -> 35x35x192; without strides and poolings for small images."""
    c1, c2, c3, c4 = (layers.channels(n) for n in (32, 64, 80, 192))
    stride, padding = (2, 0) if imagenet else (1, 1)
    return nn.Sequential(
        layers.conv(in_channels, c1, 3, stride=stride, padding=padding),
        layers.conv(c1, c1, 3, padding=padding),
        layers.conv(c1, c2, 3, padding=1),
        *([layers.pooling("max", 3, stride=2)] if imagenet else []),
        layers.conv(c2, c3, 1),
        layers.conv(c3, c4, 3, padding=padding),
        *([layers.pooling("max", 3, stride=2)] if imagenet else []),
    )


class InceptionV3(WithAuxiliary):
    """Factorized Inception with BatchNorm in its auxiliary head, in the form of the published weights.

    299x299x3 -> 35x35x192 -> 35x35x288 -> 17x17x768 -> 8x8x2048, with 27,161,264 parameters at 1000 classes.
    kernel: 5, or 3: two 3x3 in place of the 5x5 on the finest grid. transform_input: see GoogLeNet.
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
        transform_input: bool,
    ) -> None:
        require_one_of("model.kernel", kernel, (3, 5))
        stem = stem_for(stem, image_size)
        features = stem_of(layers, in_channels, stem == "imagenet")
        if transform_input:
            features.insert(0, ForInception(in_channels))
        c_in = layers.channels(192)
        heads: dict[int, nn.Module] = {}
        for projected in (32, 64, 64):
            features.append(module := at_35(layers, c_in, projected, kernels=(5,) if kernel == 5 else (3, 3)))
            c_in = module.c_out
        features.append(module := from_35_to_17(layers, c_in))
        for inner in (128, 160, 160, 192):
            features.append(module := at_17(layers, module.c_out, inner))
        if auxiliary:
            shape = (in_channels, image_size)
            heads[len(features) - 1] = auxiliary_head(layers, features, shape, num_classes, normalize=True)
        features.append(module := from_17_to_8(layers, module.c_out))
        for _ in range(2):
            features.append(module := at_8(layers, module.c_out))
        output_shape(features, in_channels, image_size)  # refuses images that do not survive
        super().__init__(features, heads, layers.averaged(module.c_out, num_classes))
        self.stem = stem
