"""Test-time augmentation: the mean of what a network says of several views of each image."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

View = Callable[[Tensor], Tensor]


def mirrored(images: Tensor) -> Tensor:
    """Left and right exchanged; [N, C, H, W]."""
    return images.flip(3)


def shifted(down: int, right: int) -> View:
    """By so many sixteenths of the side; the edge's pixels fill what comes in."""

    def view(images: Tensor) -> Tensor:
        step = max(1, images.shape[-1] // 16)
        padded = F.pad(images, (step, step, step, step), mode="replicate")
        top, left = step - down * step, step - right * step
        return padded[..., top : top + images.shape[-2], left : left + images.shape[-1]]

    return view


AROUND = [shifted(0, 0), shifted(1, 0), shifted(-1, 0), shifted(0, 1), shifted(0, -1)]
TTA: Mapping[str, list[View]] = {
    "none": [],
    "flip": [shifted(0, 0), mirrored],
    "shift": AROUND,
    "flip_shift": [*AROUND, *(lambda images, view=view: view(mirrored(images)) for view in AROUND)],
}


class Views(nn.Module):
    """Log of the mean probabilities over views, as logits [N, K]."""

    def __init__(self, net: nn.Module, views: list[View]) -> None:
        super().__init__()
        self.net = net
        self.views = views

    def forward(self, images: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, K]."""
        said = [self.net(view(images)).float().log_softmax(dim=1) for view in self.views]
        return torch.stack(said).logsumexp(dim=0) - torch.tensor(float(len(said))).log()
