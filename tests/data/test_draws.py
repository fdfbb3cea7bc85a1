from itertools import chain
from typing import Any

import numpy as np
import pytest

from cnnlab.data.draws import Draws, long_tail, noisy, stratified_fold, stratified_split
from cnnlab.data.source import ImageSet, Labels
from cnnlab.errors import UserError

LABELS = np.repeat(np.arange(4), [40, 20, 60, 80])
AS_IT_IS: dict[str, Any] = {
    "val_fraction": 0.25,
    "split_seed": 0,
    "fold": 0,
    "folds": None,
    "fraction": 1.0,
    "imbalance": 1,
    "label_noise": 0.0,
}


def draws(**changed: Any) -> Draws:
    return Draws(**{**AS_IT_IS, **changed})


def image_set(labels: Any = LABELS) -> ImageSet:
    """Image n is the number n."""
    numbers = np.arange(len(labels), dtype=np.uint8)
    return ImageSet(numbers.reshape(-1, 1, 1, 1), np.asarray(labels))


def numbers(data: ImageSet) -> list[int]:
    return [int(data.images[position].item()) for position in range(len(data))]


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


@pytest.mark.parametrize("folds", [2, 5, 7])
def test_folds_are_everything_once(folds: int) -> None:
    held_out = [stratified_fold(LABELS, fold, folds, seed=0)[1] for fold in range(folds)]
    assert sorted(np.concatenate(held_out)) == list(range(len(LABELS)))


@pytest.mark.parametrize("folds", [2, 5, 10])
def test_a_fold_has_its_share_of_every_class(folds: int) -> None:
    for fold in range(folds):
        held_out = stratified_fold(LABELS, fold, folds, seed=1)[1]
        assert np.all(np.abs(np.bincount(LABELS[held_out]) - np.bincount(LABELS) / folds) <= 1)


def test_a_fold_and_its_rest_do_not_overlap() -> None:
    rest, held_out = stratified_fold(LABELS, 1, 3, seed=0)
    assert sorted([*rest, *held_out]) == list(range(len(LABELS)))


def test_folds_take_the_place_of_the_fraction_for_validation() -> None:
    vals = [numbers(draws(folds=5, fold=fold).divided(image_set(), None)[1]) for fold in range(5)]
    assert sorted(chain(*vals)) == list(range(len(LABELS)))


def test_folds_of_a_data_set_with_its_own_validation_set_are_an_error() -> None:
    with pytest.raises(UserError, match=r"datamodule.folds=5: this data set has a validation set of its own"):
        draws(folds=5).divided(image_set(), image_set())


def test_a_long_tail_falls_exponentially_from_the_first_class_to_the_last() -> None:
    kept = long_tail(np.repeat(np.arange(5), 1000), 5, 16, seed=0)
    assert np.bincount(np.repeat(np.arange(5), 1000)[kept]).tolist() == [1000, 500, 250, 125, 62]


def test_a_long_tail_takes_no_more_than_a_class_has() -> None:
    kept = LABELS[long_tail(LABELS, 4, 8, seed=0)]
    assert np.bincount(kept).tolist() == [40, 20, 10, 5]


@pytest.mark.parametrize(("labels", "ratio"), [(LABELS, 41), (LABELS[LABELS != 2], 2)])
def test_a_tail_that_would_leave_a_class_nothing_is_an_error(labels: Labels, ratio: float) -> None:
    with pytest.raises(UserError, match=f"datamodule.imbalance={ratio}: .* which leaves none of the last"):
        long_tail(labels, 4, ratio, seed=0)


def test_a_tail_may_end_with_one_image() -> None:
    assert np.bincount(LABELS[long_tail(LABELS, 4, 40, seed=0)]).tolist() == [40, 11, 3, 1]


def test_which_labels_are_wrong_does_not_follow_the_order_of_an_epoch() -> None:
    labels = np.zeros(5000, np.int64)
    wrong = noisy(labels, 10, 0.2, seed=0) != labels
    for epoch in range(6):
        order = np.random.default_rng([0, epoch]).permutation(5000)  # as Batches draws it
        in_fives = wrong[order].reshape(-1, 5).sum(axis=1)
        assert in_fives.var() == pytest.approx(5 * 0.2 * 0.8, abs=0.12)  # a binomial's


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5, 1.0])
def test_label_noise_changes_its_share_of_every_class(share: float) -> None:
    wrong = noisy(LABELS, 4, share, seed=0) != LABELS
    assert np.bincount(LABELS[wrong]).tolist() == [40 * share, 20 * share, 60 * share, 80 * share]


def test_label_noise_takes_every_other_class_as_likely() -> None:
    labels = np.full(30_000, 2)
    changed = np.bincount(noisy(labels, 4, 1.0, seed=0), minlength=4)
    assert changed[2] == 0
    assert np.all(np.abs(changed[[0, 1, 3]] - 10_000) < 400)


def test_label_noise_follows_the_seed() -> None:
    assert np.array_equal(noisy(LABELS, 4, 0.2, seed=0), noisy(LABELS, 4, 0.2, seed=0))
    assert not np.array_equal(noisy(LABELS, 4, 0.2, seed=0), noisy(LABELS, 4, 0.2, seed=1))


def test_label_noise_leaves_the_labels_it_was_given_alone() -> None:
    labels = LABELS.copy()
    noisy(labels, 4, 0.5, seed=0)
    assert np.array_equal(labels, LABELS)


def test_nothing_is_changed_unless_asked_for() -> None:
    changed = draws().changed(image_set(), 4)
    assert (numbers(changed), changed.labels.tolist()) == (list(range(len(LABELS))), LABELS.tolist())


def test_everything_at_once_composes() -> None:
    changed = draws(fraction=0.5, imbalance=2, label_noise=0.2).changed(image_set(), 4)
    original = LABELS[numbers(changed)]
    assert np.bincount(original).tolist() == [12, 10, 7, 6]
    assert 0 < np.mean(original != changed.labels) < 0.25
