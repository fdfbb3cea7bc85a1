"""Common corruptions of images at five severities (after Hendrycks and Dietterich: Benchmarking neural network
robustness to common corruptions and perturbations, 2019), made by albumentations.

They are drawn for images of any size, so that figures here compare with one another, not with those of CIFAR-10-C or
ImageNet-C, whose files other code has made.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from cnnlab.data.augment import Augment, epoch_seeds
from cnnlab.data.resize import fit_to
from cnnlab.data.source import Image, Images, ImageSet, Source, Stage

Steps = tuple[float, float, float, float, float]  # a strength for each severity
SEVERITIES = range(1, 6)


def _noise(std: float) -> dict[str, Any]:
    return {"_target_": "GaussNoise", "std_range": (std, std)}


def _shot(scale: float) -> dict[str, Any]:
    return {"_target_": "ShotNoise", "scale_range": (scale, scale)}


def _impulse(amount: float) -> dict[str, Any]:
    return {"_target_": "SaltAndPepper", "amount": (amount, amount)}


def _blur(sigma: float) -> dict[str, Any]:
    return {"_target_": "GaussianBlur", "sigma_limit": (sigma, sigma), "blur_limit": 0}


def _motion(width: float) -> dict[str, Any]:
    return {"_target_": "MotionBlur", "blur_limit": (int(width), int(width)), "allow_shifted": False}


def _zoom(factor: float) -> dict[str, Any]:
    return {"_target_": "ZoomBlur", "max_factor": (factor, factor), "step_factor": (0.02, 0.02)}


def _brightness(limit: float) -> dict[str, Any]:
    return {"_target_": "RandomBrightnessContrast", "brightness_limit": (limit, limit), "contrast_limit": (0, 0)}


def _contrast(limit: float) -> dict[str, Any]:
    return {"_target_": "RandomBrightnessContrast", "brightness_limit": (0, 0), "contrast_limit": (-limit, -limit)}


def _pixelate(scale: float) -> dict[str, Any]:
    by_mean = {"downscale": 3, "upscale": 0}  # OpenCV's INTER_AREA and INTER_NEAREST
    return {"_target_": "Downscale", "scale_range": (scale, scale), "interpolation_pair": by_mean}


def _jpeg(quality: float) -> dict[str, Any]:
    return {"_target_": "ImageCompression", "quality_range": (int(quality), int(quality))}


CORRUPTIONS: Mapping[str, tuple[Callable[[float], dict[str, Any]], Steps]] = {
    "gaussian_noise": (_noise, (0.04, 0.08, 0.12, 0.18, 0.26)),  # standard deviation, images in 0..1
    "shot_noise": (_shot, (0.05, 0.1, 0.2, 0.35, 0.5)),
    "impulse_noise": (_impulse, (0.01, 0.03, 0.06, 0.1, 0.17)),  # share of the pixels
    "gaussian_blur": (_blur, (0.4, 0.7, 1.0, 1.5, 2.0)),  # pixels
    "motion_blur": (_motion, (3, 5, 7, 9, 11)),  # pixels
    "zoom_blur": (_zoom, (1.06, 1.11, 1.16, 1.21, 1.31)),
    "brightness": (_brightness, (0.1, 0.2, 0.3, 0.4, 0.5)),
    "contrast": (_contrast, (0.25, 0.4, 0.55, 0.7, 0.85)),
    "pixelate": (_pixelate, (0.7, 0.5, 0.35, 0.25, 0.18)),
    "jpeg": (_jpeg, (80, 60, 40, 25, 10)),  # quality
}


class CorruptedImages:
    """Images of the network's size, changed when they are asked for, each always in the same way."""

    def __init__(self, images: Images, size: int, augment: Augment, seed: int) -> None:
        self.images = images
        self.size = size
        self.augment = augment
        self.seeds = epoch_seeds(seed, 0, len(images))

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, position: int) -> Image:
        changed: Image = np.asarray(
            self.augment(fit_to(self.images[position], self.size), int(self.seeds[position])), np.uint8
        )
        return changed if changed.ndim == 3 else changed[..., None]


class Corrupted:
    """A source whose test images are brought to the network's size and corrupted."""

    def __init__(self, source: Source, size: int, name: str, severity: int, seed: int = 0) -> None:
        self.source = source
        self.size = size
        self.name = name
        self.severity = severity
        self.seed = seed
        self.classes = source.classes

    def prepare(self) -> None:
        """Of the source."""
        self.source.prepare()

    def read(self, stage: Stage) -> ImageSet | None:
        """Images as they are, but for 'test'."""
        found = self.source.read(stage)
        if stage != "test" or found is None:
            return found
        lazy = CorruptedImages(found.images, self.size, corruption(self.name, self.severity), self.seed)
        if isinstance(found.images, np.ndarray):  # what fits in memory stays there
            return ImageSet(np.stack([lazy[position] for position in range(len(lazy))]), found.labels)
        return ImageSet(lazy, found.labels)


def corruption(name: str, severity: int) -> Augment:
    """That changes every image so strongly. severity: 1 to 5."""
    import albumentations

    make, strengths = CORRUPTIONS[name]
    step = make(strengths[severity - 1])
    return Augment([getattr(albumentations, step.pop("_target_"))(**step, p=1)])
