import numpy as np
from numpy.typing import NDArray

from cnnlab.data.source import Chosen, ImageSet


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


def test_a_subset_remembers_the_files_that_were_left_out() -> None:
    assert ImageSet(Squares(), np.arange(10), ("a.jpg",)).subset(np.array([1])).skipped == ("a.jpg",)
