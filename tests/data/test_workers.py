from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnlab.data.augment import epoch_seeds
from cnnlab.data.resize import fit_to
from cnnlab.data.source import Image, ImageSet
from cnnlab.data.workers import ImageBatches

LABELS = np.arange(12) % 3
SEEDS = [7827415078345261748, 2345114536214233537, 2095529911052933489]
ARRAY = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 3), np.uint8)


class OnDemand:
    """Images of various sizes, as a folder of photographs has them."""

    def __len__(self) -> int:
        return 12

    def __getitem__(self, position: int, /) -> Image:
        return np.full((8 + position, 20 - position, 3), position, np.uint8)


def noise(image: Image, seed: int) -> Image:
    return np.random.default_rng(seed).integers(0, 256, image.shape, np.uint8)


def middle(image: Image, seed: int) -> Image:
    """The size of the image it was handed, as colours of an image of the wanted size."""
    del seed
    return np.full((8, 8, 3), (*image.shape[:2], 0), np.uint8)


def positions(*numbers: int) -> NDArray[np.int64]:
    return np.array(numbers, np.int64)


def images(epoch: int, *numbers: int, seed: int = 0) -> Tensor:
    """Augmented."""
    return ImageBatches(ImageSet(ARRAY, LABELS), 8, seed, noise, False)[epoch, positions(*numbers)][0]


def test_a_batch_is_bytes_with_channels_first() -> None:
    batch = ImageBatches(ImageSet(ARRAY, LABELS), 8, 0, None, False)[0, positions(3, 1)][0]
    assert batch.dtype == torch.uint8
    assert np.array_equal(batch.numpy(), ARRAY[[3, 1]].transpose(0, 3, 1, 2))


def test_labels_and_positions_belong_to_the_images() -> None:
    _, labels, where = ImageBatches(ImageSet(ARRAY, LABELS), 8, 0, None, False)[0, positions(5, 1, 9)]
    assert (labels.dtype, labels.tolist()) == (torch.int64, [2, 1, 0])
    assert (where.dtype, where.tolist()) == (torch.int64, [5, 1, 9])


@pytest.mark.parametrize("augment", [None, noise])
def test_images_of_various_sizes_come_at_the_asked_for_size(augment: Callable[[Image, int], Image] | None) -> None:
    data = ImageBatches(ImageSet(OnDemand(), LABELS), 16, 0, augment, False)
    assert data[0, positions(0, 6, 11)][0].shape == (3, 3, 16, 16)


def test_images_in_an_array_are_brought_to_size() -> None:
    data = ImageBatches(ImageSet(ARRAY, LABELS), 16, 0, None, False)
    assert np.array_equal(data[0, positions(4)][0][0].permute(1, 2, 0).numpy(), fit_to(ARRAY[4], 16))


@pytest.mark.parametrize("images", [ARRAY, OnDemand()])
@pytest.mark.parametrize("augment", [None, noise])
@pytest.mark.parametrize("full_image", [False, True])
def test_an_empty_batch_has_the_shape_of_a_batch(
    images: NDArray[np.uint8] | OnDemand, augment: Callable[[Image, int], Image] | None, full_image: bool
) -> None:
    batch, labels, where = ImageBatches(ImageSet(images, LABELS), 16, 0, augment, full_image)[0, positions()]
    assert (batch.dtype, batch.shape) == (torch.uint8, (0, 3, 16, 16))
    assert (labels.shape, where.shape) == ((0,), (0,))


def test_a_full_image_is_handed_to_the_augmentation_as_it_was_decoded() -> None:
    batch = ImageBatches(ImageSet(OnDemand(), LABELS), 8, 0, middle, True)[0, positions(2, 5)][0]
    assert batch[:, :2, 0, 0].tolist() == [[10, 18], [13, 15]]


def test_else_the_augmentation_is_handed_the_image_at_size() -> None:
    batch = ImageBatches(ImageSet(OnDemand(), LABELS), 8, 0, middle, False)[0, positions(2, 5)][0]
    assert batch[:, :2, 0, 0].tolist() == [[8, 8], [8, 8]]


@pytest.mark.parametrize("images", [ARRAY, OnDemand()])
def test_full_images_without_augmentation_come_at_size(images: NDArray[np.uint8] | OnDemand) -> None:
    batch = ImageBatches(ImageSet(images, LABELS), 16, 0, None, True)[0, positions(0, 1)][0]
    assert batch.shape == (2, 3, 16, 16)


def test_augmentation_does_not_depend_on_the_rest_of_the_batch() -> None:
    assert torch.equal(images(0, 7, 2, 5)[1], images(0, 2)[0])


def test_augmentation_does_not_depend_on_what_was_asked_for_before() -> None:
    data = ImageBatches(ImageSet(ARRAY, LABELS), 8, 0, noise, False)
    first = data[0, positions(1, 2)][0]
    data[1, positions(5, 2, 1)]
    assert torch.equal(data[0, positions(1, 2)][0], first)


def test_augmentation_differs_between_epochs() -> None:
    assert not torch.equal(images(0, 4), images(1, 4))


def test_augmentation_differs_between_images() -> None:
    drawn = images(0, *range(12))
    assert len({image.numpy().tobytes() for image in drawn}) == 12


@pytest.mark.parametrize("seed", [1, 2])
def test_augmentation_differs_between_seeds(seed: int) -> None:
    assert not torch.equal(images(0, 4, seed=0), images(0, 4, seed=seed))


def test_seeds_of_images_epochs_and_runs_do_not_collide() -> None:
    assert len({int(n) for seed in range(8) for epoch in range(8) for n in epoch_seeds(seed, epoch, 100)}) == 6400


def test_a_seed_is_the_same_everywhere() -> None:
    assert epoch_seeds(0, 1, 3).tolist() == SEEDS


def test_the_seed_of_an_image_does_not_depend_on_how_many_there_are() -> None:
    assert epoch_seeds(3, 4, 1000)[:10].tolist() == epoch_seeds(3, 4, 10).tolist()
