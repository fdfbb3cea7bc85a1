"""A forward pass that computes nothing: shapes and operation counts at no cost, whatever the network's device."""

import torch
from torch import Tensor, nn
from torch.func import functional_call


def forward_on_meta(net: nn.Module, in_channels: int, image_size: int) -> Tensor:
    """What the network makes of one image in evaluation, as a tensor that has a shape but no values.

    Raises:
        RuntimeError: torch's, where the image does not survive the network's strides and poolings.
    """
    meta = {name: tensor.to("meta") for name, tensor in [*net.named_parameters(), *net.named_buffers()]}
    training = [module for module in net.modules() if module.training]
    try:
        with torch.no_grad():
            dtype = next((p.dtype for p in net.parameters()), torch.float32)
            image = torch.empty(1, in_channels, image_size, image_size, dtype=dtype, device="meta")
            output: Tensor = functional_call(net.eval(), meta, image)
    finally:
        for module in training:
            module.training = True
    return output
