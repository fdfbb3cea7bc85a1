"""albumentations' transforms, as operations on whole batches that a device does at once.

Each takes the same arguments and gives images of the same distribution as the transform it stands for.
"""

import inspect
from collections.abc import Sequence
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from cnnlab.errors import UserError


class Operation(Protocol):
    """uint8 [N, C, H, W] -> uint8 [N, C, H', W'], given `draws` uniform numbers in [0, 1) an image: [N, draws]."""

    draws: int

    def __call__(self, images: Tensor, uniform: Tensor) -> Tensor: ...


class Pad:
    """`padding` pixels of the value `fill` on each side."""

    draws = 0

    def __init__(self, padding: int, fill: float = 0.0, p: float = 1.0) -> None:
        self.padding = padding
        self.fill = fill

    def __call__(self, images: Tensor, uniform: Tensor) -> Tensor:
        return F.pad(images, [self.padding] * 4, value=self.fill)


class RandomCrop:
    """A window of that height and width, each place as likely."""

    draws = 2

    def __init__(self, height: int, width: int, p: float = 1.0) -> None:
        self.height = height
        self.width = width

    def __call__(self, images: Tensor, uniform: Tensor) -> Tensor:
        if images.shape[2] < self.height or images.shape[3] < self.width:
            raise UserError(
                f"a crop of {self.height}x{self.width} pixels is larger than the images, "
                f"{images.shape[2]}x{images.shape[3]}"
            )
        windows = images.unfold(2, self.height, 1).unfold(3, self.width, 1).permute(0, 2, 3, 1, 4, 5)  # a view
        top, left = (below(windows.shape[1 + n], uniform[:, n]) for n in (0, 1))
        return windows[torch.arange(len(images), device=images.device), top, left]


class HorizontalFlip:
    """Left to right with probability p."""

    draws = 1
    axis = -1

    def __init__(self, p: float = 0.5) -> None:
        self.p = p

    def __call__(self, images: Tensor, uniform: Tensor) -> Tensor:
        return torch.where(per_image(uniform[:, 0] < self.p), images.flip(self.axis), images)


class VerticalFlip(HorizontalFlip):
    """Upside down with probability p."""

    axis = -2


class Cutout:
    """A square of size x size pixels, centred anywhere, painted over (see data/cutout.py)."""

    draws = 2

    def __init__(self, size: int, fill: list[float]) -> None:
        self.size = size
        self.fill = fill

    def __call__(self, images: Tensor, uniform: Tensor) -> Tensor:
        hidden = torch.ones((), dtype=torch.bool, device=images.device)
        for axis, length in ((0, images.shape[2]), (1, images.shape[3])):
            start = below(length, uniform[:, axis]) - self.size // 2
            along = torch.arange(length, device=images.device) - start[:, None]
            inside = (along >= 0) & (along < self.size)
            hidden = hidden & (inside[:, None, :, None] if axis == 0 else inside[:, None, None, :])
        paint = torch.tensor(self.fill, device=images.device).mul(255).round().to(torch.uint8)
        return torch.where(hidden, paint.view(1, -1, 1, 1), images)


class RandomBrightnessContrast:
    """clip(a * x + b): a from 1 + contrast_limit, b from brightness_limit * 255, with probability p."""

    draws = 3

    def __init__(
        self, brightness_limit: list[float] | float = 0.2, contrast_limit: list[float] | float = 0.2, p: float = 0.5
    ) -> None:
        self.brightness, self.contrast = (
            (-limit, limit) if isinstance(limit, float | int) else tuple(limit)
            for limit in (brightness_limit, contrast_limit)
        )
        self.p = p

    def __call__(self, images: Tensor, uniform: Tensor) -> Tensor:
        factor = 1 + between(self.contrast, uniform[:, 1])
        summand = 255 * between(self.brightness, uniform[:, 2])
        changed = images.float().mul_(per_image(factor)).add_(per_image(summand)).clamp_(0, 255).to(torch.uint8)
        return torch.where(per_image(uniform[:, 0] < self.p), changed, images)


def below(count: int, uniform: Tensor) -> Tensor:
    """Whole numbers from 0 to count - 1, each as likely."""
    return (uniform * count).long().clamp_(max=count - 1)  # a product may be rounded up to count


def between(limits: Sequence[float], uniform: Tensor) -> Tensor:
    """Numbers from the first limit to the second."""
    low, high = limits
    return low + (high - low) * uniform


def per_image(values: Tensor) -> Tensor:
    """[N] -> [N, 1, 1, 1]."""
    return values.view(-1, 1, 1, 1)


STANDS_FOR: dict[str, type[Any]] = {
    "albumentations.Pad": Pad,
    "albumentations.RandomCrop": RandomCrop,
    "albumentations.HorizontalFlip": HorizontalFlip,
    "albumentations.VerticalFlip": VerticalFlip,
    "albumentations.RandomBrightnessContrast": RandomBrightnessContrast,
    "cnnlab.data.cutout.Cutout": Cutout,
}


def batched(step: dict[str, Any]) -> Operation:
    """The operation for a step of conf/augment/.

    Raises:
        UserError: there is none for this transform, or not with these arguments.
    """
    target, arguments = step["_target_"], {key: value for key, value in step.items() if key != "_target_"}
    if target not in STANDS_FOR:
        raise UserError(f"{target} has no form for batches; these have: {', '.join(STANDS_FOR)}")
    kind = STANDS_FOR[target]
    try:
        inspect.signature(kind).bind(**arguments)
    except TypeError as error:
        raise UserError(f"{target} has no form for batches with these arguments ({error})") from error
    for key, value in arguments.items():
        if not _has_form(kind, key, value):
            raise UserError(f"{target} has no form for batches with {key}={value}")
    operation: Operation = kind(**arguments)
    return operation


def _has_form(kind: type[Any], key: str, value: Any) -> bool:
    """Whether an operation can do what the transform does with this value."""
    number = isinstance(value, int | float)
    if key == "p":
        return number and (value == 1 if kind in (Pad, RandomCrop) else 0 <= value <= 1)
    if key == "padding":
        return isinstance(value, int) and value >= 0
    if key == "fill" and kind is Pad:
        return number and 0 <= value <= 255
    return True
