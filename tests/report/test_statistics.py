"""Intervals, tests and sizes of a few differences, against figures computed by hand."""

from math import pi, sqrt

import numpy as np
import pytest
from scipy import stats

from cnnlab.report.content import Estimate
from cnnlab.report.statistics import bootstrap_t, estimate, holm, smallest_detectable, t_interval, too_few, unbiasing


def with_p(p: float | None) -> Estimate:
    return {**estimate([1, 2, 3]), "p": p}


def test_the_t_interval_of_1_2_3_is_as_computed_by_hand() -> None:
    of = estimate([1, 2, 3])
    half = 4.302652729911275 / sqrt(3)  # the 97.5 % quantile of t with 2 degrees of freedom; sd is 1
    assert (of["n"], of["mean"]) == (3, 2)
    assert (of["low"], of["high"]) == pytest.approx((2 - half, 2 + half))


def test_p_is_the_paired_t_tests() -> None:
    first, second = [0.91, 0.93, 0.92, 0.95], [0.90, 0.91, 0.93, 0.91]
    of = estimate(np.subtract(first, second).tolist())
    assert of["p"] == pytest.approx(stats.ttest_rel(first, second).pvalue)
    assert of["p_holm"] is None  # until it is known what else is tested


def test_hedges_g_of_1_2_3_is_as_computed_by_hand() -> None:
    j = 1 / sqrt(pi)  # of two degrees of freedom: gamma(1) / (sqrt(1) gamma(1/2))
    assert estimate([1, 2, 3])["effect_size"] == pytest.approx(2 / 1 * j)


@pytest.mark.parametrize("freedom", [4, 9, 30])
def test_the_correction_of_hedges_g_is_close_to_its_approximation(freedom: int) -> None:
    assert unbiasing(freedom) == pytest.approx(1 - 3 / (4 * freedom - 1), abs=0.003)  # Hedges and Olkin, 1985


def test_two_differences_have_an_interval_but_no_effect_size() -> None:
    of = estimate([1, 2])
    assert of["low"] is not None
    assert of["effect_size"] is None


@pytest.mark.parametrize("differences", [[], [0.1]])
def test_fewer_than_two_differences_have_no_interval(differences: list[float]) -> None:
    of = estimate(differences)
    assert of["mean"] == (differences[0] if differences else None)
    assert [of["low"], of["high"], of["p"], of["effect_size"]] == [None] * 4


@pytest.mark.parametrize("n", [2, 5, 12])
def test_equal_differences_have_the_sign_tests_p(n: int) -> None:
    of = estimate([0.93 - 0.90, 0.92 - 0.89] * n)  # equal but for the rounding of floats
    assert (of["low"], of["high"]) == (None, None)
    assert of["p"] == pytest.approx(2 * 0.5 ** (2 * n))
    assert of["effect_size"] is None


@pytest.mark.parametrize("n", [2, 5, 12])
def test_no_difference_at_all_is_no_evidence(n: int) -> None:
    assert estimate([0.0] * n)["p"] == 1


def test_the_same_differences_have_the_same_interval_each_time() -> None:
    x = np.random.default_rng(3).normal(size=15).tolist()
    assert estimate(x) == estimate(x)


def test_the_bootstraps_interval_leans_as_the_differences_do() -> None:
    x = np.random.default_rng(0).exponential(size=20)
    low, high = bootstrap_t(x)
    t_low, t_high = t_interval(x)
    assert high - x.mean() > 1.1 * (x.mean() - low)
    assert high > t_high
    assert low > t_low


def test_bootstrap_t_is_the_textbooks() -> None:
    x = np.random.default_rng(1).normal(1, 2, size=12)
    drawn = np.random.default_rng(2).choice(x, size=(200_000, 12))
    t = (drawn.mean(axis=1) - x.mean()) / (drawn.std(axis=1, ddof=1) / sqrt(12))
    high_t, low_t = np.quantile(t, [0.975, 0.025])
    step = x.std(ddof=1) / sqrt(12)
    assert bootstrap_t(x, draws=100_000) == pytest.approx((x.mean() - high_t * step, x.mean() - low_t * step), abs=0.05)


def test_many_equal_differences_have_the_t_interval() -> None:
    x = np.array([0.0] * 9 + [0.01])  # a third of all draws are without spread
    assert bootstrap_t(x) == pytest.approx(t_interval(x))


def test_holm_is_as_computed_by_hand_and_leaves_out_what_has_no_p() -> None:
    corrected = holm([with_p(0.04), with_p(None), with_p(0.01), with_p(0.03)])
    assert [one["p_holm"] for one in corrected] == [pytest.approx(0.06), None, pytest.approx(0.03), pytest.approx(0.06)]


def test_holm_of_nothing_is_nothing() -> None:
    assert holm([]) == []
    assert holm([with_p(None)])[0]["p_holm"] is None


def test_the_smallest_detectable_difference_has_the_power_that_was_asked_for() -> None:
    n, sd = 5, 0.004
    smallest = smallest_detectable(n, sd)
    assert smallest is not None
    away, beyond = smallest / sd * sqrt(n), stats.t.ppf(0.975, n - 1)
    power = stats.nct.sf(beyond, n - 1, away) + stats.nct.cdf(-beyond, n - 1, away)
    assert power == pytest.approx(0.8, abs=1e-4)


def test_no_seed_or_one_detects_nothing() -> None:
    assert smallest_detectable(1, 0.1) is None


def test_few_seeds_are_told_to_be_few() -> None:
    assert [bool(too_few(n)) for n in range(7)] == [True, True, True, True, True, False, False]
