"""Corrupted test images."""

import numpy as np
import pytest

from cnnlab.data.corruptions import CORRUPTIONS, SEVERITIES, Corrupted, corruption
from cnnlab.data.digits import Digits
from cnnlab.data.source import Image


def photo(channels: int, size: int = 48) -> Image:
    """Grey, with an edge and a texture."""
    y, x = np.mgrid[:size, :size] / size
    grey = 100 + 60 * np.sin(5 * x) * np.cos(4 * y) + 40 * (x > y) + np.random.default_rng(0).normal(0, 12, x.shape)
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], channels, axis=2)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", CORRUPTIONS)
def test_each_severity_changes_an_image_more_than_the_one_before(name: str, channels: int) -> None:
    image = photo(channels)

    def change(severity: int, seed: int) -> float:
        changed = corruption(name, severity)(image, seed).reshape(image.shape)
        return float(np.abs(changed.astype(float) - image).mean())

    changes = [np.mean([change(severity, seed) for seed in range(8)]) for severity in SEVERITIES]
    assert changes[0] > 0
    assert all(np.diff(changes) > 0), changes


def test_only_test_images_are_corrupted_and_always_in_the_same_way() -> None:
    digits = Digits(test_fraction=0.2, test_seed=0)
    corrupted = Corrupted(digits, 32, "gaussian_noise", 3)
    plain, first, second = (source.read("test") for source in (digits, corrupted, corrupted))
    assert plain
    assert first
    assert second
    assert np.array_equal(first.images, second.images)  # type: ignore[arg-type]
    assert np.array_equal(first.labels, plain.labels)
    assert first.images[0].shape == (32, 32, 1)
    train = corrupted.read("train")
    assert train
    assert train.images[0].shape == (8, 8, 1)
