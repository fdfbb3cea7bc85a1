from functools import partial
from typing import Any

import numpy as np
import pytest
from hydra.utils import instantiate
from test_draws import AS_IT_IS

from cnnlab.data.augment import Policy, Step
from cnnlab.data.batches import Batching
from cnnlab.data.datamodule import ImageData
from cnnlab.data.draws import Draws
from cnnlab.data.source import ImageSet, Source, Stage
from cnnlab.data.synthetic import Synthetic
from cnnlab.errors import UserError

LIMITS = ("limit_train_batches", "limit_val_batches", "limit_test_batches")
SETTINGS: dict[str, Any] = {
    "num_classes": 4,
    "in_channels": 3,
    "image_size": 8,
    "mean": [0.5, 0.4, 0.3],
    "std": [0.25, 0.5, 1.0],
    "num_workers": 0,
    "feed": "auto",
    "device_mib": 2048,
    "seed": 0,
}


class Recorded(Synthetic):
    """Notes which stages are read; `own_val` gives it a validation set of its own."""

    def __init__(self, *, own_val: bool = False, classes: int = 4, channels: int = 3) -> None:
        super().__init__(classes, channels, image_size=8, train_images=80, test_images=20, seed=0)
        self.own_val = own_val
        self.asked: list[Stage] = []

    def read(self, stage: Stage) -> ImageSet | None:
        self.asked.append(stage)
        return super().read("test" if stage == "val" and self.own_val else stage)


class Mislabelled(Synthetic):
    """Labels from -1."""

    def read(self, stage: Stage) -> ImageSet | None:
        data = super().read(stage)
        return data and ImageSet(data.images, data.labels - 1)


def image_data(source: Source, steps: list[Step] | None = None, full_image: bool = False, **changed: Any) -> ImageData:
    """Data with the keys of SETTINGS and of AS_IT_IS, but for those that are changed, and the steps of a policy."""
    keys = {**SETTINGS, **AS_IT_IS, **changed}
    draws = Draws(**{key: keys.pop(key) for key in AS_IT_IS})
    policy = Policy(steps or [], full_image, partial(instantiate, _convert_="all"))
    in_batches: dict[str, Any] = {"batch_size": 12, "micro_batches": 1, **dict.fromkeys(LIMITS, 1.0)}
    in_batches |= {key: keys.pop(key) for key in list(keys) if key in in_batches}
    batching = Batching(eval_batch_size=in_batches["batch_size"], **in_batches)
    return ImageData(source, batching=batching, draws=draws, policy=policy, **keys)


def ready(source: Source | None = None, stage: str = "fit", **changed: Any) -> ImageData:
    data = image_data(source or Recorded(), **changed)
    data.setup(stage)
    return data


def pixels(data: ImageSet) -> set[bytes]:
    return {image.tobytes() for image in np.asarray(data.images)}


@pytest.mark.parametrize("stage", ["fit", "validate"])
def test_test_images_are_not_read_before_the_test_stage(stage: str) -> None:
    source = Recorded()
    ready(source, stage)
    assert "test" not in source.asked


def test_the_test_stage_reads_test_images_only() -> None:
    source = Recorded()
    ready(source, "test")
    assert source.asked == ["test"]


def test_training_images_are_read_once() -> None:
    source = Recorded()
    data = ready(source)
    data.setup("validate")
    data.setup("fit")
    assert source.asked.count("train") == 1


def test_the_validation_set_is_the_fraction_of_every_class() -> None:
    assert np.bincount(ready().sets["val"].labels).tolist() == [5, 5, 5, 5]


def test_train_and_validation_are_all_training_images_without_overlap() -> None:
    sets = ready().sets
    assert (len(sets["train"]), len(sets["val"])) == (60, 20)
    assert pixels(sets["train"]).isdisjoint(pixels(sets["val"]))


def test_the_split_follows_split_seed() -> None:
    assert pixels(ready(split_seed=0).sets["val"]) != pixels(ready(split_seed=1).sets["val"])


def test_the_split_does_not_follow_the_runs_seed() -> None:
    assert pixels(ready(seed=0).sets["val"]) == pixels(ready(seed=1).sets["val"])


def test_a_validation_set_of_the_sources_own_leaves_all_training_images() -> None:
    sets = ready(Recorded(own_val=True)).sets
    assert (len(sets["train"]), len(sets["val"])) == (80, 20)


def test_a_fraction_of_the_training_images_leaves_the_validation_set_whole() -> None:
    sets = ready(fraction=0.5).sets
    assert sorted(np.bincount(sets["train"].labels)) == [7, 7, 8, 8]
    assert pixels(sets["val"]) == pixels(ready().sets["val"])


@pytest.mark.parametrize("stage", ["fit", "test"])
def test_a_label_that_num_classes_does_not_cover_is_an_error(stage: str) -> None:
    with pytest.raises(UserError, match=r"labels from 0 to 4, which datamodule.num_classes=4"):
        ready(Recorded(classes=5), stage)


def test_a_negative_label_is_an_error() -> None:
    with pytest.raises(UserError, match="labels from -1"):
        ready(Mislabelled(4, 3, 8, 40, 40, seed=0))


@pytest.mark.parametrize("stage", ["fit", "test"])
def test_other_channels_than_configured_are_an_error(stage: str) -> None:
    with pytest.raises(UserError, match=r"1 channels, not datamodule.in_channels=3"):
        ready(Recorded(channels=1), stage)


def test_a_batch_larger_than_the_training_set_is_an_error() -> None:
    with pytest.raises(UserError, match=r"datamodule.batch_size=61 is more than the 60 training images"):
        ready(batch_size=61)


def test_a_batch_may_be_the_whole_training_set() -> None:
    assert len(ready(batch_size=60).train_dataloader()) == 1


def test_an_empty_validation_set_is_an_error() -> None:
    with pytest.raises(UserError, match="the val set is empty"):
        ready(val_fraction=0.0)


def test_label_noise_is_for_training_only() -> None:
    clean, noisy = ready(), ready(label_noise=0.5)
    assert np.mean(noisy.sets["train"].labels != clean.sets["train"].labels) == pytest.approx(0.5, abs=0.05)
    assert np.array_equal(noisy.sets["val"].labels, clean.sets["val"].labels)
    noisy.setup("test")
    assert np.array_equal(noisy.sets["test"].labels, ready(stage="test").sets["test"].labels)


def test_an_imbalance_is_for_training_only() -> None:
    sets = ready(imbalance=5).sets
    assert np.bincount(sets["train"].labels)[[0, -1]].tolist() == [15, 3]
    assert np.bincount(sets["val"].labels).tolist() == [5, 5, 5, 5]


def test_the_folds_validate_every_training_image_once() -> None:
    vals = [pixels(ready(folds=4, fold=fold).sets["val"]) for fold in range(4)]
    assert sum(len(val) for val in vals) == len(set().union(*vals)) == 80


def test_what_was_used_is_counted() -> None:
    data = ready()
    data.train_dataloader()
    assert data.used() == {"images": {"train": 60, "val": 20}, "feed": {"train": "device"}, "skipped_files": 0}
