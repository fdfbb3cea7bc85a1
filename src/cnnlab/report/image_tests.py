"""Paired tests between conditions, image by image: which of two ensembles is right more often on the same images?

They speak of these ensembles on images like these; what another training with other seeds would give, they do not know.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path

import numpy as np
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from cnnlab.errors import UserError
from cnnlab.report.content import ImageTest
from cnnlab.report.prediction_file import Array, Predictions, read_predictions
from cnnlab.report.predictions import Ensemble

ALL_PAIRS = 24  # conditions on one test set, above which each is compared with the best one only
EXACT_BELOW = 25  # images on which the two differ
DRAWS = 1999
LEVEL = 0.95


def image_tests(ensembles: Mapping[int, Ensemble]) -> list[ImageTest]:
    """Of all pairs of up to 24 conditions of a test set, else of each with the best one of it."""
    tests = [
        paired(first, second, ensembles[first].right, ensembles[second].right) for first, second in _pairs(ensembles)
    ]
    if tests:
        corrected = multipletests([test["p"] for test in tests], method="holm")[1]
        for test, p in zip(tests, corrected.tolist(), strict=True):
            test["p_holm"] = p
    return tests


def caveats_of_tests(ensembles: Mapping[int, Ensemble]) -> list[str]:
    """What to know of tests against a best one that the same images have chosen."""
    most = max(Counter(ensemble.test_set for ensemble in ensembles.values()).values(), default=0)
    if most <= ALL_PAIRS:
        return []
    return [
        f"more than {ALL_PAIRS} conditions share a test set: image by image each is compared with the best one only, "
        "which these images have chosen, so that its lead looks larger than it is; cnnlab compare tests any two runs"
    ]


def compare_images(first: Path, second: Path) -> ImageTest:
    """Of the predictions.npz of two runs, as conditions 0 and 1.

    Raises:
        UserError: a file is missing or damaged, or they were not tested on the same images.
    """
    one, other = _read(first), _read(second)
    if one.test_set != other.test_set:
        sizes = f"{len(one.label)} and {len(other.label)} of them"
        raise UserError(f"{first} and {second} were tested on different images ({sizes}): they cannot be paired")
    return paired(0, 1, one.predicted == one.label, other.predicted == other.label)


def paired(first: int, second: int, first_right: Array, second_right: Array) -> ImageTest:
    """McNemar's test (exact where few images tell the two apart) and the bootstrap interval of the difference."""
    images = len(first_right)
    only_first = int((first_right & ~second_right).sum())
    only_second = int((second_right & ~first_right).sum())
    both = int((first_right & second_right).sum())
    table = [[both, only_first], [only_second, images - both - only_first - only_second]]
    p = float(mcnemar(table, exact=only_first + only_second < EXACT_BELOW, correction=True).pvalue)
    low, high = interval(only_first, only_second, images)
    return ImageTest(
        first=first,
        second=second,
        images=images,
        only_first=only_first,
        only_second=only_second,
        difference=(only_first - only_second) / images,
        low=low,
        high=high,
        p=p,
        p_holm=p,
    )


def interval(only_first: int, only_second: int, images: int) -> tuple[float, float]:
    """Of the difference in accuracy, by the percentile bootstrap over images.

    An image adds +1, -1 or 0, so that drawing images anew is a multinomial draw of how many add which. It covers the
    truth in 93 to 96 of 100 cases where ten images or so tell the two apart, in about 83 where only two do.
    """
    counts = np.array([only_first, only_second, images - only_first - only_second])
    drawn = np.random.default_rng(0).multinomial(images, counts / images, size=DRAWS)
    low, high = np.quantile((drawn[:, 0] - drawn[:, 1]) / images, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _pairs(ensembles: Mapping[int, Ensemble]) -> Iterator[tuple[int, int]]:
    test_sets: dict[int, list[int]] = {}
    for condition, ensemble in ensembles.items():
        test_sets.setdefault(ensemble.test_set, []).append(condition)
    for conditions in test_sets.values():
        if len(conditions) <= ALL_PAIRS:
            yield from combinations(conditions, 2)
        else:
            best = max(conditions, key=lambda condition: int(ensembles[condition].right.sum()))  # the first of equals
            yield from ((best, condition) for condition in conditions if condition != best)


def _read(file: Path) -> Predictions:
    try:
        return read_predictions(file)
    except FileNotFoundError:
        raise UserError(f"{file}: there is no such file; it is written when a run's test has ended") from None
