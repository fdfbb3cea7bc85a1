import numpy as np
import pytest

from cnnlab.data.digits import Digits
from cnnlab.data.source import ImageSet, Stage


def read(stage: Stage, fraction: float = 0.2, seed: int = 0) -> ImageSet:
    images = Digits(fraction, seed).read(stage)
    assert images is not None
    return images


def rows(images: ImageSet) -> list[bytes]:
    return [image.tobytes() for image in np.asarray(images.images)]


def test_train_and_test_are_all_1797_images() -> None:
    assert len(read("train")) + len(read("test")) == 1797


def test_no_image_is_in_both_train_and_test() -> None:
    assert set(rows(read("train"))).isdisjoint(rows(read("test")))


def test_there_is_no_validation_set() -> None:
    assert Digits(0.2, 0).read("val") is None


def test_images_are_8_by_8_bytes_with_one_channel() -> None:
    images = np.asarray(read("train").images)
    assert images.dtype == np.uint8
    assert images.shape[1:] == (8, 8, 1)


def test_grey_levels_fill_the_bytes_range() -> None:
    images = np.asarray(read("train").images)
    assert (images.min(), images.max(), len(np.unique(images))) == (0, 255, 17)


def test_the_test_set_is_fixed_by_its_seed() -> None:
    assert rows(read("test", seed=4)) == rows(read("test", seed=4))


def test_another_test_seed_gives_another_test_set() -> None:
    assert rows(read("test", seed=0)) != rows(read("test", seed=1))


@pytest.mark.parametrize("fraction", [0.1, 0.25])
def test_the_test_set_holds_the_fraction_of_each_digit(fraction: float) -> None:
    every = np.bincount(np.concatenate([read("train").labels, read("test").labels]))
    assert np.all(np.abs(np.bincount(read("test", fraction).labels) - every * fraction) < 1)


def test_a_label_is_the_name_of_its_class() -> None:
    labels = read("test").labels
    assert Digits.classes == tuple(str(label) for label in range(10))
    assert labels.dtype == np.int64
    assert (labels.min(), labels.max()) == (0, 9)


def test_they_are_scikit_learns() -> None:
    from sklearn.datasets import load_digits

    digits, theirs = Digits(0.2, 0)._all, load_digits()
    assert np.array_equal(np.asarray(digits.images)[..., 0], np.round(theirs.images * (255 / 16)).astype(np.uint8))
    assert np.array_equal(digits.labels, theirs.target)
