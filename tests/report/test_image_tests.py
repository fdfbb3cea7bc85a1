"""Paired tests on images: against closed forms, and their rates of error by simulation."""

from itertools import pairwise
from math import comb, erfc, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnlab.errors import UserError
from cnnlab.report import image_tests
from cnnlab.report.image_tests import paired
from cnnlab.report.predictions import Ensemble

DRAWS = 500


def rights(only_first: int, only_second: int, both: int = 50, neither: int = 10) -> tuple[Any, Any]:
    """Which images each of two gets right, for these counts."""
    counts = [only_first, only_second, both, neither]
    return np.repeat([True, False, True, False], counts), np.repeat([False, True, True, False], counts)


def drawn(rng: np.random.Generator, images: int, only_first: float, only_second: float) -> tuple[Any, Any]:
    """The same, each image drawn with these chances; 80 % of the others are right in both."""
    what = rng.random(images)
    both = what > only_first + only_second + 0.2
    return both | (what < only_first), both | ((what >= only_first) & (what < only_first + only_second))


def ensemble(right: Any, test_set: int = 0) -> Ensemble:
    return Ensemble(test_set, len(right), np.packbits(right))


def save(file: Path, label: list[int], predicted: list[int]) -> Path:
    np.savez(file, index=np.arange(len(label)), label=label, probabilities=np.eye(3, dtype=np.float32)[predicted])
    return file


@pytest.mark.parametrize(("first", "second"), [(1, 6), (8, 16), (12, 12), (0, 5)])
def test_below_25_images_that_differ_the_p_is_binomial(first: int, second: int) -> None:
    tail = sum(comb(first + second, k) for k in range(min(first, second) + 1)) / 2 ** (first + second)
    assert paired(0, 1, *rights(first, second))["p"] == pytest.approx(min(1, 2 * tail))


@pytest.mark.parametrize(("first", "second"), [(8, 17), (40, 20)])
def test_from_25_images_that_differ_the_p_is_of_a_corrected_chi_square(first: int, second: int) -> None:
    statistic = (abs(first - second) - 1) ** 2 / (first + second)
    assert paired(0, 1, *rights(first, second))["p"] == pytest.approx(erfc(sqrt(statistic / 2)))


def test_the_difference_is_first_minus_second() -> None:
    test = paired(4, 7, *rights(30, 10, both=50, neither=10))
    assert (test["first"], test["second"], test["images"]) == (4, 7, 100)
    assert (test["only_first"], test["only_second"], test["difference"]) == (30, 10, 0.2)
    assert 0 < test["low"] < 0.2 < test["high"] < 0.4


def test_two_that_are_right_on_the_same_images_do_not_differ() -> None:
    test = paired(0, 1, *rights(0, 0))
    assert (test["difference"], test["low"], test["high"], test["p"]) == (0, 0, 0, 1)


def test_the_interval_covers_a_planted_difference_at_its_level() -> None:
    rng = np.random.default_rng(1)
    tests = [paired(0, 1, *drawn(rng, 2000, 0.06, 0.04)) for _ in range(DRAWS)]
    covered = np.mean([test["low"] <= 0.02 <= test["high"] for test in tests])
    assert 0.93 <= covered <= 0.97


@pytest.mark.parametrize(("images", "share"), [(2000, 0.05), (300, 0.03)])
def test_planted_nulls_are_called_differences_at_most_at_the_level(images: int, share: float) -> None:
    rng = np.random.default_rng(2)
    false = np.mean([paired(0, 1, *drawn(rng, images, share, share))["p"] < 0.05 for _ in range(DRAWS)])
    assert 0 < false <= 0.07


def test_a_planted_difference_is_found() -> None:
    rng = np.random.default_rng(3)
    found = np.mean([paired(0, 1, *drawn(rng, 2000, 0.08, 0.04))["p"] < 0.05 for _ in range(DRAWS)])
    assert found > 0.95


def test_the_same_images_give_the_same_interval() -> None:
    assert paired(0, 1, *rights(30, 20)) == paired(0, 1, *rights(30, 20))


def test_holms_correction_is_over_all_pairs() -> None:
    rng = np.random.default_rng(4)
    conditions = {at: ensemble(rng.random(500) < accuracy) for at, accuracy in enumerate((0.7, 0.72, 0.78, 0.8))}
    tests = sorted(image_tests.image_tests(conditions), key=lambda test: test["p"])
    assert len(tests) == 6
    so_far = 0.0
    for rank, test in enumerate(tests):
        so_far = max(so_far, min(1, (6 - rank) * test["p"]))
        assert test["p_holm"] == pytest.approx(so_far)
    assert any(one["p_holm"] < other["p_holm"] for one, other in pairwise(tests))


def test_above_24_conditions_each_is_compared_with_the_best_one_and_that_is_said() -> None:
    rng = np.random.default_rng(5)
    conditions = {at: ensemble(rng.random(800) < (0.9 if at == 20 else 0.7)) for at in range(10, 35)}
    tests = image_tests.image_tests(conditions)
    assert "which these images have chosen" in image_tests.caveats_of_tests(conditions)[0]
    assert {test["first"] for test in tests} == {20}
    assert sorted(test["second"] for test in tests) == [at for at in conditions if at != 20]
    del conditions[10]
    assert len(image_tests.image_tests(conditions)) == 24 * 23 / 2
    assert image_tests.caveats_of_tests(conditions) == []


def test_only_conditions_with_the_same_test_set_are_compared() -> None:
    first, second = rights(5, 3)
    conditions = {0: ensemble(first), 1: ensemble(first, 1), 2: ensemble(second), 3: ensemble(second, 1)}
    conditions[4] = ensemble(first, 2)
    assert [(test["first"], test["second"]) for test in image_tests.image_tests(conditions)] == [(0, 2), (1, 3)]


def test_a_single_condition_has_nothing_to_be_compared_with() -> None:
    assert image_tests.image_tests({0: ensemble(rights(1, 1)[0])}) == []


def test_two_runs_are_compared_on_their_images(tmp_path: Path) -> None:
    first = save(tmp_path / "a.npz", [0, 1, 2, 0], [0, 1, 2, 1])
    test = image_tests.compare_images(first, save(tmp_path / "b.npz", [0, 1, 2, 0], [0, 0, 0, 0]))
    assert (test["images"], test["only_first"], test["only_second"]) == (4, 2, 1)
    assert test["p"] == test["p_holm"] == 1


def test_two_runs_with_different_test_sets_are_both_named(tmp_path: Path) -> None:
    first, second = save(tmp_path / "a.npz", [0, 1], [0, 1]), save(tmp_path / "b.npz", [0, 1, 2], [0, 1, 2])
    with pytest.raises(UserError, match=r"a\.npz and .*b\.npz were tested on different images \(2 and 3 of them\)"):
        image_tests.compare_images(first, second)


def test_a_run_without_readable_predictions_is_named(tmp_path: Path) -> None:
    first, broken = save(tmp_path / "a.npz", [0, 1], [0, 1]), tmp_path / "broken.npz"
    with pytest.raises(UserError, match=r"broken\.npz: there is no such file"):
        image_tests.compare_images(first, broken)
    broken.write_text("nothing")
    with pytest.raises(UserError, match=r"broken\.npz: cannot be read"):
        image_tests.compare_images(first, broken)
