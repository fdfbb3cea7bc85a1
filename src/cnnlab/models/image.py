"""What an image's size means for a network: which stem it gets, and whether it survives the pooling."""

from torch import empty, nn
from torch.func import functional_call

from cnnlab.errors import UserError

SMALL = 65  # pixels; below, networks made for ImageNet get the form that the CIFAR literature gives them
STEMS = ("auto", "imagenet", "small")


def stem_for(stem: str, image_size: int) -> str:
    """'imagenet' or 'small': what was asked for, or what suits the image (pixels a side) if that is 'auto'."""
    if stem not in STEMS:
        raise UserError(f"model.stem={stem} is not one of {', '.join(STEMS)}")
    if stem != "auto":
        return stem
    return "small" if image_size < SMALL else "imagenet"


def output_shape(net: nn.Module, in_channels: int, image_size: int) -> tuple[int, ...]:
    """Shape that the network makes of one image, without computing it: (C, H, W) or (K,).

    Raises:
        UserError: the image is too small for the network's strides and poolings.
    """
    state = {**dict(net.named_parameters()), **dict(net.named_buffers())}
    meta = {name: tensor.to("meta") for name, tensor in state.items()}
    training = net.training
    try:
        output = functional_call(net.eval(), meta, empty(1, in_channels, image_size, image_size, device="meta"))
    except RuntimeError as error:
        if "too small" not in str(error) and "greater than actual input size" not in str(error):
            raise
        raise UserError(
            f"datamodule.image_size={image_size} is too small for this network: its convolutions and poolings leave "
            "no pixel. Take larger images, or model.stem=small where the network has it."
        ) from error
    finally:
        net.train(training)
    return tuple(output.shape[1:])


def features_of(net: nn.Module, in_channels: int, image_size: int) -> int:
    """Number of values that the feature maps of one image flatten to."""
    channels, height, width = output_shape(net, in_channels, image_size)
    return channels * height * width
