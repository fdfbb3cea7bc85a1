"""Planted effects are found and covered at the stated rates, planted nulls are called null.

500 draws each, from fixed seeds: a rate of 95 % is then known to about 1 point, one of 80 % to about 2.
"""

import gc
from collections.abc import Callable, Iterator
from functools import cache
from math import sqrt

import numpy as np
import pytest
from scipy import stats

from cnnlab.report.content import Estimate
from cnnlab.report.statistics import Array, estimate, holm

STUDIES = 500
EFFECT, SD = 0.006, 0.004
DRAWS = 999  # of the bootstrap


@cache
def estimates(n: int, effect: float, seed: int = 0) -> list[Estimate]:
    """Of as many studies, whose differences are normal."""
    drawn = np.random.default_rng(seed).normal(effect, SD, size=(STUDIES, n))
    return [estimate(row.tolist(), draws=DRAWS) for row in drawn]


def covered(of: list[Estimate], truth: float) -> float:
    return float(np.mean([(one["low"] or 0.0) <= truth <= (one["high"] or 0.0) for one in of]))


def called(of: list[Estimate]) -> float:
    return float(np.mean([one["p"] is not None and one["p"] < 0.05 for one in of]))


@pytest.mark.parametrize("n", [5, 12])
def test_intervals_cover_a_planted_effect(n: int) -> None:
    assert covered(estimates(n, EFFECT), EFFECT) == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize("n", [5, 12])
def test_an_effect_is_found_as_often_as_the_noncentral_t_says(n: int) -> None:
    away, beyond = EFFECT / SD * sqrt(n), stats.t.ppf(0.975, n - 1)
    power = stats.nct.sf(beyond, n - 1, away) + stats.nct.cdf(-beyond, n - 1, away)
    assert called(estimates(n, EFFECT)) == pytest.approx(power, abs=0.04)  # two standard errors


@pytest.mark.parametrize("n", [3, 5, 12])
def test_nulls_are_called_significant_at_the_nominal_rate(n: int) -> None:
    assert called(estimates(n, 0.0, seed=1)) == pytest.approx(0.05, abs=0.02)


@pytest.fixture
def nothing_to_collect() -> Iterator[None]:
    """statsmodels collects garbage at each correction, which takes the longer the more has been imported."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("nothing_to_collect")
def test_holm_keeps_the_rate_of_any_false_finding_among_twenty_nulls() -> None:
    drawn = np.random.default_rng(2).normal(0, SD, size=(STUDIES, 20, 5))
    any_study = estimate([1, 2, 3])
    families = stats.ttest_1samp(drawn, 0, axis=2).pvalue.tolist()  # what `estimate` does one by one
    false = [
        any((one["p_holm"] or 0.0) < 0.05 for one in holm([{**any_study, "p": p} for p in family]))
        for family in families
    ]
    assert 0.01 < np.mean(false) <= 0.07


@pytest.mark.parametrize(
    ("skewed", "truth"),
    [(lambda random, n: random.exponential(size=n), 1.0), (lambda random, n: -random.exponential(size=n), -1.0)],
)
def test_from_ten_seeds_on_skewed_differences_are_covered_better_than_by_t(
    skewed: Callable[[np.random.Generator, int], Array], truth: float
) -> None:
    random, n = np.random.default_rng(4), 12
    drawn = [skewed(random, n) for _ in range(STUDIES)]
    half = [float(stats.t.ppf(0.975, n - 1) * x.std(ddof=1) / sqrt(n)) for x in drawn]
    by_t = np.mean([abs(x.mean() - truth) <= step for x, step in zip(drawn, half, strict=True)])
    ours = covered([estimate(x.tolist(), draws=DRAWS) for x in drawn], truth)
    assert ours > by_t + 0.02
    assert ours == pytest.approx(0.945, abs=0.02)
