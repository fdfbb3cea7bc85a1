"""What an image's size means for a network: which stem it gets, and whether it survives the pooling."""

import torch
from torch import Tensor, nn

from cnnlab.errors import UserError, require_one_of
from cnnlab.models.meta import forward_on_meta

SMALL = 65  # pixels; below, networks made for ImageNet get the form that the CIFAR literature gives them
TOO_SMALL = ("too small", "greater than actual input size", "more than 1 value per channel")  # torch's words
STEMS = ("auto", "imagenet", "small")


class ForInception(nn.Module):
    """From images normalized by ImageNet's mean and std to those in -1..1, which TensorFlow's weights were made for."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        if in_channels != 3:
            raise UserError(f"model.transform_input=true is for images of 3 channels, not {in_channels}")
        mean, std = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]]).view(2, 3, 1, 1)
        self.register_buffer("scale", std / 0.5, persistent=False)
        self.register_buffer("shift", (mean - 0.5) / 0.5, persistent=False)
        self.scale: Tensor
        self.shift: Tensor

    def forward(self, images: Tensor) -> Tensor:
        return images * self.scale + self.shift


def stem_for(stem: str, image_size: int) -> str:
    """'imagenet' or 'small': what was asked for, or what suits the image (pixels a side) if that is 'auto'."""
    require_one_of("model.stem", stem, STEMS)
    if stem != "auto":
        return stem
    return "small" if image_size < SMALL else "imagenet"


def output_shape(net: nn.Module, in_channels: int, image_size: int) -> tuple[int, ...]:
    """Shape that the network makes of one image, without computing it: (C, H, W) or (K,).

    Raises:
        UserError: the image is too small for the network's strides and poolings.
    """
    try:
        output = forward_on_meta(net, in_channels, image_size)
    except (RuntimeError, ValueError) as error:
        if not any(words in str(error) for words in TOO_SMALL):
            raise
        raise UserError(
            f"datamodule.image_size={image_size} is too small for this network: its convolutions and poolings leave "
            "too few pixels. Take larger images, or model.stem=small where the network has it."
        ) from error
    return tuple(output.shape[1:])


def features_of(net: nn.Module, in_channels: int, image_size: int) -> int:
    """Number of values that the feature maps of one image flatten to."""
    channels, height, width = output_shape(net, in_channels, image_size)
    return channels * height * width
