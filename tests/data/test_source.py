import numpy as np
import pytest
from numpy.typing import NDArray

from cnnlab.data.source import Chosen, ImageSet, stratified_split

LABELS = np.repeat(np.arange(4), [40, 20, 60, 80])


class Squares:
    """Images that are made when they are asked for, and the positions that were."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __len__(self) -> int:
        return 10

    def __getitem__(self, position: int, /) -> NDArray[np.uint8]:
        self.asked.append(position)
        return np.full((2, 2, 1), position, np.uint8)


def image_set() -> ImageSet:
    return ImageSet(np.arange(10, dtype=np.uint8).reshape(10, 1, 1, 1), np.arange(10))


@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.25, 0.5])
def test_a_split_takes_the_fraction_of_every_class(fraction: float) -> None:
    chosen = stratified_split(LABELS, fraction, seed=1)[1]
    assert np.bincount(LABELS[chosen]).tolist() == [40 * fraction, 20 * fraction, 60 * fraction, 80 * fraction]


@pytest.mark.parametrize("fraction", [0.07, 0.15, 1 / 3])
def test_a_fraction_that_does_not_divide_a_class_is_off_by_less_than_one_image(fraction: float) -> None:
    chosen = stratified_split(LABELS, fraction, seed=1)[1]
    assert np.all(np.abs(np.bincount(LABELS[chosen]) - np.bincount(LABELS) * fraction) < 1)


def test_a_fraction_of_classes_with_one_image_each_is_right_in_total() -> None:
    assert len(stratified_split(np.arange(100), 0.1, seed=0)[1]) == 10


@pytest.mark.parametrize("percent", range(101))
def test_a_whole_number_of_images_is_not_lost_to_rounding(percent: int) -> None:
    assert len(stratified_split(np.zeros(100, np.int64), percent / 100, seed=0)[1]) == percent


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.33, 0.9, 1.0])
def test_every_position_is_in_exactly_one_part(fraction: float) -> None:
    rest, chosen = stratified_split(LABELS, fraction, seed=3)
    assert sorted([*rest, *chosen]) == list(range(len(LABELS)))


def test_both_parts_are_ascending() -> None:
    rest, chosen = stratified_split(LABELS, 0.4, seed=3)
    assert np.all(np.diff(rest) > 0)
    assert np.all(np.diff(chosen) > 0)


def test_the_same_seed_gives_the_same_split() -> None:
    assert np.array_equal(stratified_split(LABELS, 0.2, seed=0)[1], stratified_split(LABELS, 0.2, seed=0)[1])


@pytest.mark.parametrize("seed", [1, 2])
def test_another_seed_gives_another_split(seed: int) -> None:
    assert not np.array_equal(stratified_split(LABELS, 0.2, seed=0)[1], stratified_split(LABELS, 0.2, seed=seed)[1])


def test_a_split_does_not_take_neighbours() -> None:
    chosen = stratified_split(np.zeros(1000, np.int64), 0.5, seed=0)[1]
    assert len(set(np.diff(chosen))) > 3


def test_the_order_of_the_labels_does_not_matter_to_the_fraction() -> None:
    labels = np.random.default_rng(0).permutation(LABELS)
    assert np.bincount(labels[stratified_split(labels, 0.1, seed=1)[1]]).tolist() == [4, 2, 6, 8]


def test_a_subset_keeps_images_and_labels_together() -> None:
    subset = image_set().subset(np.array([7, 2]))
    assert [int(subset.images[i].item()) for i in range(2)] == subset.labels.tolist() == [7, 2]


def test_the_length_of_a_set_is_that_of_its_labels() -> None:
    assert len(image_set().subset(np.array([1, 2, 3]))) == 3


def test_a_subset_of_images_made_on_demand_makes_none() -> None:
    squares = Squares()
    ImageSet(squares, np.arange(10)).subset(np.array([3, 4]))
    assert squares.asked == []


def test_a_subset_of_a_subset_makes_the_original_image() -> None:
    squares = Squares()
    subset = ImageSet(squares, np.arange(10)).subset(np.array([9, 5, 1])).subset(np.array([2, 1]))
    assert (subset.images[0].max(), subset.labels[0], squares.asked) == (1, 1, [1])


def test_chosen_images_are_counted_without_making_them() -> None:
    assert len(Chosen(Squares(), np.array([1, 1, 2]))) == 3
