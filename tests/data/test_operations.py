"""The device's operations on batches give what albumentations gives image by image: the same distribution."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hydra.utils import instantiate
from numpy.typing import NDArray
from omegaconf import OmegaConf
from scipy import stats

from cnnlab.data.augment import Augment, Policy, Step
from cnnlab.data.device import DeviceBatches
from cnnlab.data.operations import STANDS_FOR, RandomBrightnessContrast, batched, below
from cnnlab.data.source import ImageSet
from cnnlab.data.workers import ImageBatches
from cnnlab.errors import UserError

FOLDER = Path(__file__).parents[2] / "conf" / "augment"
SIZE, COUNT = 20, 6000
UNLIKELY = 1e-3  # seeds are fixed: what passes once passes always


def steps_of(policy: str) -> list[Step]:
    """conf/augment/<policy>.yaml for grey images of SIZE x SIZE."""
    whole = OmegaConf.create(
        {"augment": OmegaConf.load(FOLDER / f"{policy}.yaml"), "datamodule": {"image_size": SIZE, "mean": [0.5]}}
    )
    steps: Any = OmegaConf.to_container(whole.augment, resolve=True)
    return steps["transforms"]  # type: ignore[no-any-return]


def for_batches(policy: str) -> bool:
    config = OmegaConf.load(FOLDER / f"{policy}.yaml")
    known = all(step["_target_"] in STANDS_FOR for step in config.transforms)
    return bool(known and config.transforms and not config.full_image)


BATCHED = [stem for stem in sorted(path.stem for path in FOLDER.glob("*.yaml")) if for_batches(stem)]


def both_feeds(steps: list[Step], image: NDArray[np.uint8], seed: int = 0) -> list[NDArray[np.uint8]]:
    """COUNT copies of an image [H, W, C], as the device and as workers augment them: [COUNT, C, H, W] each."""
    data = ImageSet(np.stack([image] * COUNT), np.zeros(COUNT, np.int64))
    policy = Policy(steps, False, lambda step: instantiate(step, _convert_="all"))
    size = image.shape[0]
    device = DeviceBatches(data, size, seed, policy.operations(), torch.device("cpu"))
    workers = ImageBatches(data, size, seed, policy.augment(), False)
    return [feed[0, np.arange(COUNT)][0].numpy() for feed in (device, workers)]


def picture() -> NDArray[np.uint8]:
    """Brighter to the right, else noise, far from black and white, so that what was done to it can be told."""
    noise = np.random.default_rng(1).integers(0, 40, (SIZE, SIZE))
    return (60 + noise + 5 * np.arange(SIZE)).astype(np.uint8)[..., None]


def test_policies_with_a_form_for_batches_are_found() -> None:
    assert {"standard", "cutout", "brightness"} <= set(BATCHED)


@pytest.mark.parametrize("policy", BATCHED)
def test_both_feeds_give_each_pixel_the_same_distribution(policy: str) -> None:
    device, workers = both_feeds(steps_of(policy), picture())
    assert device.shape == workers.shape == (COUNT, 1, SIZE, SIZE)
    places = [(0, 0), (0, SIZE - 1), (SIZE // 2, SIZE // 2), (SIZE - 1, 3), (7, 12)]
    p_values = [stats.ks_2samp(device[:, 0, y, x], workers[:, 0, y, x]).pvalue for y, x in places]
    assert min(p_values) > UNLIKELY


@pytest.mark.parametrize("policy", BATCHED)
def test_both_feeds_give_the_same_distribution_of_brightness_and_of_neighbours(policy: str) -> None:
    device, workers = (images.astype(float) for images in both_feeds(steps_of(policy), picture()))
    numbers: list[Callable[[NDArray[np.float64]], NDArray[np.float64]]] = [
        lambda images: images.mean(axis=(1, 2, 3)),
        lambda images: images.std(axis=(1, 2, 3)),
        lambda images: (images[..., 1:] * images[..., :-1]).mean(axis=(1, 2, 3)),
        lambda images: (images[..., : SIZE // 2] - images[..., SIZE // 2 :]).mean(axis=(1, 2, 3)),
    ]
    for told in numbers:
        assert stats.ks_2samp(told(device), told(workers)).pvalue > UNLIKELY


def test_both_feeds_give_every_crop_and_flip_as_often() -> None:
    """All 9 x 9 x 2 outcomes, by a chi-squared test of homogeneity and one of each feed against equal chances."""
    device, workers = both_feeds(steps_of("standard"), picture())
    outcomes = {image.tobytes(): n for n, image in enumerate(np.unique(np.concatenate([device, workers]), axis=0))}
    assert len(outcomes) == 162
    counts = np.zeros((2, 162))
    for row, images in enumerate((device, workers)):
        for image in images:
            counts[row, outcomes[image.tobytes()]] += 1
    assert stats.chi2_contingency(counts).pvalue > UNLIKELY
    assert all(stats.chisquare(row).pvalue > UNLIKELY for row in counts)


def test_the_test_of_agreement_notices_a_feed_that_flips_too_seldom() -> None:
    steps = steps_of("standard")
    fewer = [{**step, "p": 0.42} if step["_target_"].endswith("Flip") else step for step in steps]
    (device, _), (_, workers) = both_feeds(steps, picture()), both_feeds(fewer, picture())
    sides = [(i[..., : SIZE // 2].astype(float) - i[..., SIZE // 2 :]).mean(axis=(1, 2, 3)) for i in (device, workers)]
    assert stats.ks_2samp(*sides).pvalue < UNLIKELY


@pytest.mark.parametrize("limit", [0.3, [-0.5, 0.1]])
def test_brightness_and_contrast_follow_albumentations_formula_to_the_last_bit(limit: Any) -> None:
    import albumentations

    image = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    theirs = albumentations.RandomBrightnessContrast(limit, limit, p=1.0)
    low, high = theirs.contrast_limit
    for factor, summand in ((1.0, 0.0), (1 + low, 255 * high), (1 + high, 255 * low)):
        expected = theirs.apply(image, alpha=factor, beta=summand)
        drawn = torch.tensor([[0.0, (factor - 1 - low) / (high - low), (summand / 255 - low) / (high - low)]])
        ours = RandomBrightnessContrast(limit, limit, p=1.0)(torch.from_numpy(image[None, ..., 0])[None], drawn)
        assert np.array_equal(ours[0, 0].numpy(), expected.reshape(16, 16))


@pytest.mark.parametrize("policy", BATCHED)
def test_an_images_numbers_do_not_depend_on_its_batch(policy: str) -> None:
    images = np.random.default_rng(0).integers(0, 256, (30, SIZE, SIZE, 1), np.uint8)
    operations = [batched(step) for step in steps_of(policy)]
    data = ImageSet(images, np.zeros(30, np.int64))
    feed = DeviceBatches(data, SIZE, 5, operations, torch.device("cpu"))
    together = feed[3, np.arange(30)][0]
    feed[4, np.arange(5)]
    assert torch.equal(feed[3, np.array([17, 2])][0], together[[17, 2]])


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"_target_": "albumentations.Rotate"}, "albumentations.Rotate has no form for batches; these have"),
        ({"_target_": "albumentations.RandomCrop", "height": 8, "width": 8, "pad_if_needed": True}, "pad_if_needed"),
        ({"_target_": "albumentations.RandomCrop", "height": 8, "width": 8, "p": 0.5}, "with p=0.5"),
        ({"_target_": "albumentations.Pad", "padding": [1, 2]}, r"with padding=\[1, 2\]"),
        ({"_target_": "albumentations.Pad", "padding": 4, "border_mode": 4}, "border_mode"),
        ({"_target_": "albumentations.Pad", "padding": 4, "fill": [1, 2, 3]}, "with fill="),
        ({"_target_": "albumentations.Pad", "padding": 4, "fill": 300}, "with fill=300"),
        ({"_target_": "albumentations.HorizontalFlip", "p": None}, "with p=None"),
    ],
)
def test_what_has_no_form_for_batches_is_named(step: Step, said: str) -> None:
    with pytest.raises(UserError, match=said):
        batched(step)


def test_a_crop_larger_than_the_image_is_an_error() -> None:
    with pytest.raises(UserError, match="a crop of 30x30 pixels is larger than the images, 20x20"):
        both_feeds([{"_target_": "albumentations.RandomCrop", "height": 30, "width": 30}], picture())


def test_the_largest_number_below_one_stays_below() -> None:
    assert below(33, torch.tensor([1 - 2**-24])).tolist() == [32]


def test_augment_and_operation_pad_alike() -> None:
    step = {"_target_": "albumentations.Pad", "padding": 3, "fill": 7}
    padded = Augment([instantiate(step)])(picture(), 0)
    ours = batched(step)(torch.from_numpy(picture()).permute(2, 0, 1)[None], torch.empty(1, 0))
    assert np.array_equal(ours[0].permute(1, 2, 0).numpy(), padded)
