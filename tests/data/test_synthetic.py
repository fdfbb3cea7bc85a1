import numpy as np
import pytest

from cnnlab.data.source import ImageSet, Stage
from cnnlab.data.synthetic import Synthetic


def read(stage: Stage, seed: int = 0) -> ImageSet:
    images = Synthetic(num_classes=3, channels=2, image_size=5, train_images=30, test_images=9, seed=seed).read(stage)
    assert images is not None
    return images


@pytest.mark.parametrize(("stage", "count"), [("train", 30), ("test", 9)])
def test_a_set_has_the_asked_for_shape(stage: Stage, count: int) -> None:
    images = np.asarray(read(stage).images)
    assert images.dtype == np.uint8
    assert images.shape == (count, 5, 5, 2)


def test_the_classes_are_equally_frequent() -> None:
    assert np.bincount(read("train").labels).tolist() == [10, 10, 10]


def test_the_same_seed_gives_the_same_images() -> None:
    assert np.array_equal(np.asarray(read("train").images), np.asarray(read("train").images))


def test_another_seed_gives_other_images() -> None:
    assert not np.array_equal(np.asarray(read("train", 0).images), np.asarray(read("train", 1).images))


def test_test_images_are_not_training_images() -> None:
    assert not np.array_equal(np.asarray(read("test").images), np.asarray(read("train").images)[:9])


def test_the_mean_training_picture_tells_the_test_classes_apart() -> None:
    train, test = read("train"), read("test")
    means = np.stack([np.asarray(train.images)[train.labels == label].mean(0) for label in range(3)])
    distances = np.abs(np.asarray(test.images)[:, None] - means).sum((2, 3, 4))
    assert distances.argmin(1).tolist() == test.labels.tolist()


def test_there_is_no_validation_set() -> None:
    assert Synthetic(2, 1, 4, 10, 10, seed=0).read("val") is None


def test_there_is_a_name_for_each_class() -> None:
    assert Synthetic(2, 1, 4, 10, 10, seed=0).classes == ("class 0", "class 1")
