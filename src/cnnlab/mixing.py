"""Regularizers that mix the images of a batch, and with them their labels."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Targets:
    """Labels [N] that weigh `share`, and partners' labels [N] that weigh the rest; none where nothing is mixed."""

    labels: Tensor
    partners: Tensor | None = None
    share: float = 1.0

    @property
    def main(self) -> Tensor:
        """The labels that weigh more: what training accuracy counts."""
        return self.labels if self.partners is None or self.share >= 0.5 else self.partners


class Mixing:
    """mixup: x = s x_i + (1 - s) x_j (Zhang et al., 2018). cutmix: a box of x_j is put into x_i (Yun et al., 2019).

    Each value is the a of Beta(a, a), from which the batch's s is drawn; 0 is off. With both on, each batch gets one of
    them, as likely. All is drawn from torch's generator of the CPU, which the classifier sets for each step.
    """

    def __init__(self, mixup: float, cutmix: float) -> None:
        self.ways = [(way, a) for way, a in ((mixed_up, mixup), (cut_and_mixed, cutmix)) if a]

    def __call__(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Targets]:
        """Mixed images [N, C, H, W] and what they are to be taken for."""
        if not self.ways:
            return images, Targets(labels)
        way, a = self.ways[int(torch.randint(len(self.ways), ()))]
        share = float(torch.distributions.Beta(a, a).sample())
        order = torch.randperm(len(labels)).to(labels.device)
        mixed, share = way(images, images[order], share)
        return mixed, Targets(labels, labels[order], share)


def mixed_up(images: Tensor, partners: Tensor, share: float) -> tuple[Tensor, float]:
    """Each pixel the weighted mean of both."""
    return torch.lerp(partners, images, share), share


def cut_and_mixed(images: Tensor, partners: Tensor, share: float) -> tuple[Tensor, float]:
    """A box with the sides sqrt(1 - s) of the image's, centred anywhere; what is outside of the image is lost.

    The share becomes that of the pixels that are left (Yun et al., 2019, algorithm 1).
    """
    height, width = images.shape[2:]
    side = (1 - share) ** 0.5
    box = []
    for length in (height, width):
        centre, half = int(torch.randint(length, ())), int(length * side) // 2
        box.append(slice(max(0, centre - half), min(length, centre + half)))
    rows, columns = box
    mixed = images.clone()
    mixed[:, :, rows, columns] = partners[:, :, rows, columns]
    return mixed, 1 - (rows.stop - rows.start) * (columns.stop - columns.start) / (height * width)
