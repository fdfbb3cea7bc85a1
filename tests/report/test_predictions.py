"""What is read from predictions.npz, against cases that are worked out by hand."""

import pickle
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torchmetrics.classification import MulticlassCalibrationError

from cnnlab.errors import UserError
from cnnlab.report.content import Images
from cnnlab.report.prediction_file import read_predictions
from cnnlab.report.predictions import Reading, read_images
from cnnlab.study.judge import ensemble_accuracy
from cnnlab.study.results import CellResult

CLASSES = ["cat", "dog", "owl"]


def save(file: Path, label: Any, probabilities: Any, index: Any = None) -> Path:
    """As cnnlab.callbacks.predictions does."""
    file.parent.mkdir(parents=True, exist_ok=True)
    shares = np.asarray(probabilities, dtype=np.float32)
    index = np.arange(len(label)) if index is None else index
    np.savez(file, index=index, label=np.asarray(label), probabilities=shares)
    return file


def says(*predicted: int, confidence: float = 0.8, classes: int = 3) -> list[list[float]]:
    """Probabilities of a network that predicts these with that confidence."""
    rest = (1 - confidence) / (classes - 1)
    return [[confidence if k == one else rest for k in range(classes)] for one in predicted]


def random(seed: int, images: int = 1000, classes: int = 10) -> tuple[Any, Any]:
    """Labels, and probabilities that know something of them."""
    rng = np.random.default_rng(seed)
    label = np.random.default_rng(0).integers(0, classes, images)
    logits = rng.normal(size=(images, classes)) + 1.5 * np.eye(classes)[label]
    shares = np.exp(1.5 * logits)  # what Bayes would say of them: no bin is wrong by much, some this way, some that
    return label, shares / shares.sum(axis=1, keepdims=True)


@pytest.fixture
def read_one(tmp_path: Path) -> Callable[..., Images]:
    """The figures of one condition, from its seeds' probabilities."""

    def read(label: Any, *seeds: Any) -> Images:
        files = [save(tmp_path / f"{seed}.npz", label, shares) for seed, shares in enumerate(seeds)]
        reading = read_images([files], CLASSES)
        assert not reading.warnings
        return reading.images[0]

    return read


def test_calibration_error_weighs_each_bins_gap(read_one: Callable[..., Images]) -> None:
    images = read_one([0, 1, 0, 0], [[0.6, 0.4], [0.6, 0.4], [0.9, 0.1], [0.9, 0.1]])
    assert images["ece"] == pytest.approx(2 / 4 * (0.6 - 1 / 2) + 2 / 4 * (1 - 0.9))
    flat = [number for one in images["bins"] for number in (one["confidence"], one["accuracy"], one["share"])]
    assert flat == pytest.approx([0.6, 0.5, 0.5, 0.9, 1.0, 0.5])


def test_calibration_error_is_that_of_torchmetrics(read_one: Callable[..., Images]) -> None:
    label, shares = random(1)
    metric = MulticlassCalibrationError(10, n_bins=15, norm="l1")
    expected = metric(torch.tensor(shares, dtype=torch.float32), torch.tensor(label))
    assert read_one(label, shares)["ece"] == pytest.approx(float(expected), abs=1e-6)


def test_seeds_that_err_in_opposite_ways_are_not_calibrated(read_one: Callable[..., Images]) -> None:
    images = read_one([0, 0], says(0, 0, confidence=0.75), says(0, 1, confidence=0.75))
    assert images["ece"] == pytest.approx((0.25 + 0.25) / 2)
    assert [one["accuracy"] for one in images["bins"]] == [0.75]


def test_a_confidence_on_an_edge_belongs_to_the_bin_below(read_one: Callable[..., Images]) -> None:
    images = read_one([0, 0, 0], [[0.6, 0.4], [0.59, 0.41], [1.0, 0.0]])
    assert [one["share"] for one in images["bins"]] == pytest.approx([2 / 3, 1 / 3])


def test_an_ensemble_decides_by_the_mean_of_the_probabilities(read_one: Callable[..., Images]) -> None:
    sure, unsure = [[0.9, 0.1], [0.1, 0.9]], [[0.4, 0.6], [0.6, 0.4]]
    images = read_one([0, 1], sure, unsure, unsure)
    assert (images["n"], images["images"]) == (3, 2)
    assert images["ensemble"] == 1
    assert images["single"] == pytest.approx(1 / 3)


def test_an_ensembles_accuracy_is_the_one_that_claims_are_judged_by(tmp_path: Path) -> None:
    files = [save(tmp_path / str(seed) / "predictions.npz", *random(seed)) for seed in range(4)]
    judged = ensemble_accuracy([CellResult(file.parent.name, file.parent, "done") for file in files])
    assert read_images([files], []).images[0]["ensemble"] == judged
    assert 0 < judged < 1


def test_confusion_is_in_shares_of_each_label_and_its_diagonal_the_accuracy(read_one: Callable[..., Images]) -> None:
    images = read_one([0, 0, 1, 1, 2, 2], says(0, 1, 1, 1, 0, 2), says(0, 0, 1, 1, 0, 1))
    assert images["confusion"] == [[0.75, 0.25, 0], [0, 1, 0], [0.5, 0.25, 0.25]]
    assert images["per_class"] == [0.75, 1, 0.25]


def test_a_class_without_images_has_no_accuracy(read_one: Callable[..., Images]) -> None:
    images = read_one([0, 2], says(0, 1))
    assert images["per_class"] == [1, None, 0]
    assert images["confusion"][1] == [0, 0, 0]


def test_conditions_go_by_their_place(tmp_path: Path) -> None:
    first, last = save(tmp_path / "a.npz", [0], says(0)), save(tmp_path / "b.npz", [0], says(1))
    reading = read_images([[first], [], [last]], CLASSES)
    assert [(one["condition"], one["ensemble"]) for one in reading.images] == [(0, 1), (2, 0)]
    assert list(reading.ensembles) == [0, 2]
    assert not reading.warnings


def test_which_images_an_ensemble_gets_right_is_remembered(tmp_path: Path) -> None:
    label, shares = random(2, images=1003)
    reading = read_images([[save(tmp_path / "a.npz", label, shares)]], [])
    assert np.array_equal(reading.ensembles[0].right, shares.argmax(axis=1) == label)


def test_a_seed_that_was_tested_on_other_images_is_left_out_with_a_warning(tmp_path: Path) -> None:
    other = save(tmp_path / "other.npz", [1, 1], says(0, 0))
    same = [save(tmp_path / f"{seed}.npz", [0, 1], says(0, 1)) for seed in range(2)]
    reading = read_images([[other, *same]], CLASSES)
    assert (reading.images[0]["n"], reading.images[0]["single"]) == (2, 1)
    assert reading.warnings == [f"{other}: not tested as {same[0]} was; figures of their condition leave it out"]


def test_the_same_labels_at_another_index_are_another_test_set(tmp_path: Path) -> None:
    first = save(tmp_path / "a.npz", [0, 1], says(0, 1))
    second = save(tmp_path / "b.npz", [0, 1], says(0, 1), index=[5, 6])
    reading = read_images([[first], [second]], CLASSES)
    assert reading.ensembles[0].test_set != reading.ensembles[1].test_set


def test_the_hardest_images_come_first_and_ties_go_by_confidence(tmp_path: Path) -> None:
    """Image 0: all wrong; 1 and 2: two of three wrong, 2 more surely so; 3: one wrong, which is not most; 4: none."""
    label = [0, 0, 0, 0, 0]
    seeds = [
        [*says(2, 1, 1, confidence=0.8), *says(1, 0, confidence=0.9)],
        [*says(1, 0, confidence=0.7), *says(1, 0, 0, confidence=0.9)],
        [*says(2, 1, confidence=0.6), *says(0, 0, 0, confidence=0.9)],
    ]
    files = [save(tmp_path / f"{seed}.npz", label, shares, index=[9, 8, 7, 6, 5]) for seed, shares in enumerate(seeds)]
    hardest = read_images([files[:2], files[2:]], CLASSES).hardest
    assert [(one["index"], one["wrong"], one["cells"], one["predicted"]) for one in hardest] == [
        (9, 3, 3, "owl"),
        (7, 2, 3, "dog"),
        (8, 2, 3, "dog"),
    ]
    assert {one["label"] for one in hardest} == {"cat"}
    assert [one["confidence"] for one in hardest] == pytest.approx([(0.8 + 0.6) / 2, (0.8 + 0.9) / 2, (0.8 + 0.6) / 2])


def test_of_wrong_classes_that_are_said_as_often_the_surer_one_is_told(tmp_path: Path) -> None:
    files = [
        save(tmp_path / "a.npz", [0], says(1, confidence=0.6)),
        save(tmp_path / "b.npz", [0], says(2, confidence=0.9)),
    ]
    hardest = read_images([files], CLASSES).hardest
    assert (hardest[0]["predicted"], hardest[0]["wrong"]) == ("owl", 2)
    assert hardest[0]["confidence"] == pytest.approx(0.9)


def test_at_most_24_hard_images_are_told(tmp_path: Path) -> None:
    label, shares = [0] * 30, [says(1, confidence=0.5 + at / 100)[0] for at in range(30)]
    hardest = read_images([[save(tmp_path / "a.npz", label, shares)]], CLASSES).hardest
    assert [one["index"] for one in hardest] == list(range(29, 5, -1))


def test_hard_images_are_of_the_test_set_that_most_cells_share(tmp_path: Path) -> None:
    small = save(tmp_path / "small.npz", [0], says(1, classes=2))
    large = [save(tmp_path / f"{seed}.npz", [2, 1], says(1, 1)) for seed in range(2)]
    hardest = read_images([[small], large], CLASSES).hardest
    assert [(one["label"], one["predicted"], one["cells"]) for one in hardest] == [("owl", "dog", 2)]


def test_classes_are_numbered_where_the_names_are_of_another_data_set(tmp_path: Path) -> None:
    hardest = read_images([[save(tmp_path / "a.npz", [0], says(3, classes=4))]], CLASSES).hardest
    assert (hardest[0]["label"], hardest[0]["predicted"]) == ("0", "3")


def changed(**arrays: Any) -> Callable[[Path], object]:
    """Saves a good file but for these arrays; None: without it."""
    good = {"index": np.arange(2), "label": np.array([0, 1]), "probabilities": np.array(says(0, 1), np.float32)}
    kept = {name: array for name, array in {**good, **arrays}.items() if array is not None}
    return lambda file: np.savez(file, **kept)


def single_array(file: Path) -> None:
    with file.open("wb") as stream:
        np.save(stream, np.zeros(3))


def cut_short(file: Path) -> None:
    changed()(file)
    file.write_bytes(file.read_bytes()[:-100])


def header_without_end(file: Path) -> None:
    changed(index=np.arange(2000))(file)  # long enough for its header to be read before its checksum
    file.write_bytes(file.read_bytes().replace(b"}", b" "))


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "cut short": (cut_short, "cannot be read"),
    "header": (header_without_end, "cannot be read"),
    "empty": (lambda file: file.write_bytes(b""), "cannot be read"),
    "text": (lambda file: file.write_text("see attachment"), "cannot be read"),
    "pickle": (lambda file: file.write_bytes(pickle.dumps([1, 2])), "cannot be read"),
    "objects": (changed(label=np.array([0, None])), "cannot be read"),
    "folder": (lambda file: file.mkdir(), "cannot be read"),
    "single array": (single_array, "one array instead of several"),
    "no label": (changed(label=None), "no array named label"),
    "fewer labels": (changed(label=np.array([0])), "index [2], label [1] and probabilities [2, 3] are not"),
    "flat": (changed(probabilities=np.ones(2)), "probabilities [2] are not"),
    "no images": (
        changed(index=np.zeros(0, int), label=np.zeros(0, int), probabilities=np.zeros((0, 3))),
        "0 images of 3 classes",
    ),
    "labels that are no numbers": (changed(label=np.array(["cat", "dog"])), "int64, <U3, float32 instead of"),
    "label too large": (changed(label=np.array([0, 3])), "labels from 0 to 3 for 3 classes"),
    "label below zero": (changed(label=np.array([-1, 1])), "labels from -1 to 1 for 3 classes"),
    "not a number": (changed(probabilities=np.array([[np.nan, 0, 0], [0, 1, 0]])), "of 1 of 2 images are not finite"),
    "infinite": (changed(probabilities=np.array([[np.inf, 0, 0], [0, 1, 0]])), "of 1 of 2 images are not finite"),
    "logits": (changed(probabilities=np.array([[4.0, -3, 0], [0, 1, 0]])), "sum to 1"),
    "counts": (changed(probabilities=np.array([[4.0, 3, 0], [0, 1, 0]])), "sum to 1"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_left_out_with_a_warning_that_names_it(tmp_path: Path, damage: str) -> None:
    make, wrong = DAMAGES[damage]
    bad, good = tmp_path / "bad.npz", save(tmp_path / "good.npz", [0, 1], says(0, 1))
    make(bad)
    reading = read_images([[bad, good], [bad]], CLASSES)
    assert [(one["condition"], one["n"]) for one in reading.images] == [(0, 1)]
    assert len(reading.warnings) == 2
    assert reading.warnings[0].startswith(f"{bad}: ")
    assert wrong in reading.warnings[0]


def test_bytes_that_change_anywhere_are_refused_or_do_no_harm(tmp_path: Path) -> None:
    file = save(tmp_path / "a.npz", [0, 1], says(0, 1))
    whole = file.read_bytes()
    rng, refused = np.random.default_rng(0), 0
    for _ in range(600):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 3):
            damaged[place] = rng.integers(0, 256)
        file.write_bytes(damaged)
        try:
            assert read_predictions(file).predicted.tolist() == [0, 1]
        except UserError:
            refused += 1
    assert refused > 300


def test_files_that_are_not_there_are_counted_in_one_warning(tmp_path: Path) -> None:
    there, gone = save(tmp_path / "a.npz", [0], says(0)), tmp_path / "gone.npz"
    one = read_images([[there, gone]], CLASSES)
    assert one.warnings == [f"{gone}: there is no such file; what is said of images leaves it out"]
    assert "gone.npz (and 1 more of 3): " in read_images([[gone, there], [gone]], CLASSES).warnings[0]
    assert read_images([], CLASSES) == Reading([], {}, [], [])


def test_memory_does_not_grow_with_the_number_of_files(tmp_path: Path) -> None:
    file = save(tmp_path / "a.npz", *random(0, images=20_000, classes=2))

    def peak(conditions: int) -> int:
        tracemalloc.start()
        read_images([[file, file]] * conditions, [])
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    peak(1)
    assert peak(30) - peak(3) < file.stat().st_size
