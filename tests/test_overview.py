import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from cnnlab.data.source import ImageSet
from cnnlab.data.statistics import describe, duplicates
from conftest import stems

SYNTHETIC = ["datamodule=synthetic", "datamodule.source.train_images=200", "datamodule.source.test_images=40"]


def folder(here: Path, name: str) -> Path:
    return here / "runs" / "data" / name


def image_set(*values: int, labels: list[int] | None = None) -> ImageSet:
    images = np.array(values, np.uint8).reshape(-1, 1, 1, 1) * np.ones((1, 4, 4, 1), np.uint8)
    return ImageSet(images, np.array(labels or [0] * len(values)))


def test_mean_and_std_are_those_of_all_pixels() -> None:
    images = np.random.default_rng(0).integers(0, 256, (20, 6, 6, 3), np.uint8)
    of = describe(ImageSet(images, np.arange(20) % 3), 4, 6, "train")
    assert np.allclose(of.mean, images.mean(axis=(0, 1, 2)) / 255)
    assert np.allclose(of.std, images.std(axis=(0, 1, 2)) / 255)
    assert of.counts.tolist() == [7, 7, 6, 0]


def test_images_that_two_sets_share_are_counted_with_their_labels() -> None:
    train, test = image_set(1, 2, 3, 3, labels=[0, 1, 0, 1]), image_set(3, 2, 9, labels=[0, 0, 1])
    sets: dict[Any, ImageSet] = {"train": train, "test": test}
    found = duplicates({name: describe(data, 2, 4, name) for name, data in sets.items()}, sets)
    assert found == [
        {"of": "train", "in": "train", "images": 1, "other_label": 1},
        {"of": "train", "in": "test", "images": 2, "other_label": 1},
        {"of": "test", "in": "test", "images": 0, "other_label": 0},
    ]


@pytest.mark.parametrize("policy", stems("augment"))
def test_every_augmentation_is_drawn(policy: str, command: Callable[..., int], here: Path) -> None:
    assert command("data", *SYNTHETIC, f"augment={policy}", "datamodule.image_size=40") == 0
    with Pillow.open(folder(here, f"synthetic-{policy}") / "contact_sheet.png") as sheet:
        pixels = np.asarray(sheet)
    assert pixels.shape[0] > 10 * 80
    assert pixels.std() > 20


def test_the_tables_say_what_is_in_the_files(
    command: Callable[..., int], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("data", "augment=affine") == 0
    said = capsys.readouterr().out
    with (folder(here, "digits-affine") / "classes.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["class"] for row in rows] == list("0123456789")
    totals = [sum(int(row[stage]) for row in rows) for stage in ("train", "val", "test")]
    assert sum(totals) == 1797
    for total in totals:
        assert f"{total:,}" in said
    measured = json.loads((folder(here, "digits-affine") / "data.json").read_text())
    assert measured["measured"]["mean"] == pytest.approx(measured["configured"]["mean"], abs=0.01)
    assert measured["images"] == dict(zip(("train", "val", "test"), totals, strict=True))


def test_a_mean_far_from_what_was_measured_is_told(
    command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("data", *SYNTHETIC) == 0
    assert "To take that: datamodule.mean=[0." in capsys.readouterr().out


def test_fewer_images_than_a_batch_are_looked_at(command: Callable[..., int]) -> None:
    assert command("data", "datamodule=synthetic", "datamodule.source.train_images=40") == 0


def test_noisy_labels_and_long_tails_are_seen(command: Callable[..., int], here: Path) -> None:
    assert command("data", *SYNTHETIC, "datamodule.imbalance=9") == 0
    with (folder(here, "synthetic-none") / "classes.csv").open() as file:
        counts = [int(row["train"]) for row in csv.DictReader(file)]
    assert counts[0] == 18
    assert counts[-1] == 2


@pytest.mark.parametrize("words", [["datamodule=nothing"], ["-m"], ["standard"], ["datamodule.fold=2"]])
def test_what_cannot_be_looked_at_is_named(
    words: list[str], command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("data", *words) == 1
    assert words[0] in capsys.readouterr().err
