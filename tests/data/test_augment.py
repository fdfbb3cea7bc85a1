import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hydra.utils import instantiate
from numpy.typing import NDArray
from omegaconf import OmegaConf

from cnnlab.data.augment import Augment
from cnnlab.data.colours import ShiftColours
from cnnlab.data.cutout import Cutout

POLICIES = sorted(path.stem for path in (Path(__file__).parents[2] / "conf" / "augment").glob("*.yaml"))
RANDOM = sorted(set(POLICIES) - {"none"})
SIZE = 32


def settings(policy: str, channels: int = 3) -> dict[str, Any]:
    """conf/augment/<policy>.yaml for images of SIZE x SIZE."""
    config = OmegaConf.load(Path(__file__).parents[2] / "conf" / "augment" / f"{policy}.yaml")
    whole = OmegaConf.create({"augment": config, "datamodule": {"image_size": SIZE, "mean": [0.5] * channels}})
    made: dict[str, Any] = instantiate(whole.augment, _convert_="all")
    return made


def augment(policy: str, channels: int = 3) -> Augment:
    return Augment(settings(policy, channels)["transforms"])


def picture(policy: str, channels: int = 3) -> NDArray[np.uint8]:
    """A smooth picture with a bright corner, larger than SIZE where the policy crops from the decoded image."""
    shape = (50, 40) if settings(policy)["full_image"] else (SIZE, SIZE)
    ramp = np.add.outer(np.arange(shape[0]), 2 * np.arange(shape[1]))
    return np.stack([ramp + 20 * channel for channel in range(channels)], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_policy_gives_images_of_the_networks_size(policy: str, channels: int) -> None:
    changed = augment(policy, channels)(picture(policy, channels), seed=3)
    assert changed.dtype == np.uint8
    assert changed.shape == (SIZE, SIZE, channels)


@pytest.mark.parametrize("policy", RANDOM)
def test_the_same_seed_gives_the_same_image(policy: str) -> None:
    assert np.array_equal(augment(policy)(picture(policy), 7), augment(policy)(picture(policy), 7))


@pytest.mark.parametrize("policy", RANDOM)
def test_a_seed_counts_whatever_came_before_it(policy: str) -> None:
    policy_used = augment(policy)
    first = policy_used(picture(policy), 7)
    policy_used(picture(policy), 8)
    assert np.array_equal(policy_used(picture(policy), 7), first)


@pytest.mark.parametrize("policy", RANDOM)
def test_other_seeds_give_other_images(policy: str) -> None:
    policy_used = augment(policy)
    assert len({policy_used(picture(policy), seed).tobytes() for seed in range(20)}) > 15


@pytest.mark.parametrize("policy", RANDOM)
def test_seed_0_is_a_seed_like_any_other(policy: str) -> None:
    policy_used = augment(policy)
    assert np.array_equal(policy_used(picture(policy), 0), policy_used(picture(policy), 0))


@pytest.mark.parametrize("policy", RANDOM)
def test_the_original_image_is_not_changed(policy: str) -> None:
    policy_used, image = augment(policy), picture(policy)
    for seed in range(5):
        policy_used(image, seed)
    assert np.array_equal(image, picture(policy))


@pytest.mark.parametrize("policy", RANDOM)
def test_an_image_that_cannot_be_written_to_is_augmented(policy: str) -> None:
    image = picture(policy)
    image.flags.writeable = False
    augment(policy)(image, 1)


def test_a_policy_neither_reads_nor_moves_the_global_generator() -> None:
    np.random.seed(1)
    changed = augment("standard")(picture("standard"), 5)
    drawn = np.random.random()
    np.random.seed(1)
    assert np.random.random() == drawn
    assert np.array_equal(augment("standard")(picture("standard"), 5), changed)


def test_no_server_is_asked_for_a_newer_albumentations(monkeypatch: pytest.MonkeyPatch) -> None:
    import albumentations.check_version

    asked: list[str] = []

    def fetch() -> str:
        asked.append("pypi.org")
        return ""

    monkeypatch.setattr(albumentations.check_version, "fetch_version_info", fetch)
    monkeypatch.delitem(sys.modules, "albumentations")  # so that it is imported as in a fresh process
    importlib.import_module("albumentations")
    assert asked == []


def test_alexnets_colours_shift_a_whole_image_by_one_colour() -> None:
    grey = np.full((8, 8, 3), 128, np.uint8)
    shifts = []
    for seed in range(200):
        shifted = Augment([ShiftColours(std=0.1)])(grey, seed).astype(int) - 128
        assert (shifted == shifted[0, 0]).all()
        shifts.append(shifted[0, 0])
    # the first component, nearly grey: 255 * 0.58 * 0.2175 * 0.1 = 3.2 grey levels
    assert 2.5 < np.std([shift.mean() for shift in shifts]) < 4


def test_where_an_image_is_cropped_does_not_tell_whether_it_is_flipped() -> None:
    image = np.arange(SIZE * SIZE, dtype=np.int64).reshape(SIZE, SIZE, 1) % 251
    policy = augment("standard")
    seen = {policy(image.astype(np.uint8), seed).tobytes() for seed in range(4000)}
    assert len(seen) == 9 * 9 * 2


def test_steps_that_leave_nothing_to_chance_are_done_once() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, SIZE, SIZE, 3), np.uint8)
    policy, once = augment("standard"), augment("standard")
    padded = once.done_once(images)
    assert padded.shape == (3, SIZE + 8, SIZE + 8, 3)
    assert all(np.array_equal(once(padded[n], n), policy(images[n], n)) for n in range(3))


def test_cutout_paints_a_square_whose_centre_is_any_pixel() -> None:
    white, sizes = np.full((SIZE, SIZE, 1), 255, np.uint8), []
    for seed in range(2000):
        painted = Augment([Cutout(size=16, fill=[0.0])])(white, seed)[..., 0] == 0
        rows, columns = np.flatnonzero(painted.any(axis=1)), np.flatnonzero(painted.any(axis=0))
        assert painted.sum() == len(rows) * len(columns)
        sizes += [len(rows), len(columns)]
    assert (min(sizes), max(sizes)) == (8, 16)
    assert np.mean(sizes) == pytest.approx(14, abs=0.1)  # (17 * 16 + 2 * (8 + ... + 15) - 8) / 32
