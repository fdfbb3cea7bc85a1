import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from cnnlab.bench.paired import Rates, take_turns
from cnnlab.bench.sweeps import trained
from cnnlab.errors import UserError
from conftest import TINY

FEW = ["rounds=2", "images=64", "datamodule.batch_size=16"]


def test_contenders_take_turns_forwards_and_backwards() -> None:
    turns: list[str] = []

    def work(name: str) -> Callable[[], int]:
        def one() -> int:
            turns.append(name)
            return 7

        return one

    measured = take_turns({"a": work("a"), "b": work("b")}, 3)
    assert turns == ["a", "b", "a", "b", "b", "a", "a", "b"]
    assert {name: len(rates) for name, rates in measured.rates.items()} == {"a": 3, "b": 3}


def test_a_ratio_is_the_median_of_the_rounds_ratios() -> None:
    measured = Rates({"a": [10.0, 30.0, 80.0], "b": [10.0, 10.0, 20.0]})
    assert measured.ratio("a", "b") == 3.0
    assert measured.median("a") == 30.0


@pytest.mark.slow
def test_both_feeds_are_measured_against_plain_loaders(command: Callable[..., int], here: Path) -> None:
    assert command("bench", "data", *FEW, "datamodule=synthetic", "datamodule.source.train_images=200") == 0
    folder = here / "runs" / "bench" / "data-synthetic-standard"
    figures = json.loads((folder / "bench.json").read_text())
    for name in ("plain DataLoader, 0 workers", "workers feed, 0 workers", "device feed"):
        assert len(figures["images_per_second"][name]) == 2
        assert name in (folder / "table.md").read_text()
    assert figures["ratios"]["plain DataLoader, 0 workers"]["plain DataLoader, 0 workers"] == 1
    with Pillow.open(folder / "chart.png") as chart:
        assert np.asarray(chart.convert("L")).std() > 20
    assert "device feed" in (folder / "chart.svg").read_text()


@pytest.mark.slow
def test_images_in_files_are_measured_against_the_decoder(command: Callable[..., int], here: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(60):
        path = here / "photos" / str(number % 2) / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Pillow.fromarray(rng.integers(0, 256, (60, 80, 3), np.uint8)).save(path)
    words = ["datamodule=image_folder", "datamodule.data_dir=photos", "augment=random_resized_crop"]
    assert command("bench", "data", *FEW, *words, "datamodule.image_size=48") == 0
    figures = json.loads((here / "runs/bench/data-image_folder-random_resized_crop/bench.json").read_text())
    assert "decoder alone, 0 workers" in figures["images_per_second"]
    assert "device feed" not in figures["images_per_second"]


@pytest.mark.slow
def test_launchers_are_measured_with_the_same_cells(command: Callable[..., int], here: Path) -> None:
    assert command("bench", "grid", "cells=2", "fresh=1", "datamodule=digits", *TINY) == 0
    folder = here / "runs" / "bench" / "grid"
    figures = json.loads((folder / "bench.json").read_text())
    assert set(figures["cells_per_minute"]) == {
        "cnnlab, 2 at once",
        "a fresh process for each cell",
        "Hydra's basic launcher",
        "joblib, 2 workers",
    }
    assert all(rate > 0 for rates in figures["cells_per_minute"].values() for rate in rates)
    assert 0 < figures["empty_cell_seconds"] < 5
    assert (folder / "chart.png").exists()
    assert "cells/min" in (folder / "table.md").read_text()
    assert [path.name for path in (here / "runs").iterdir()] == ["bench"]


def test_a_command_that_fails_ends_the_bench_with_what_it_said() -> None:
    with pytest.raises(UserError, match="nothing like it"):
        trained([[sys.executable, "-c", "raise SystemExit('nothing like it')"]])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "what is to be measured? There is: accuracy, data, ddp, grid"),
        (["speed"], "there is nothing of that name to measure"),
        (["accuracy", "goal=91"], "goal=91: an accuracy is more than 0 and at most 1"),
        (["accuracy", "goal=high"], "goal=high: it must be a number"),
        (["accuracy", "experiment=lenet5_digits"], "goal=0.9, or another accuracy, must be given"),
        (["accuracy", "seed=1"], "seed: the bench sets it itself"),
        (["accuracy", "workers=-1"], "workers=-1: it must be a whole number of at least 0"),
        (["data", "rounds=0"], "rounds=0: it must be a whole number"),
        (["data", "images=many"], "images=many: it must be a whole number"),
        (["data", "fast"], "fast: it is neither"),
        (["grid", "cells=0"], "cells=0: it must be a whole number"),
        (["grid", "seed=1"], "seed: the bench sets it itself"),
        (["grid", "optim.lr=-1"], "optim.lr"),
        (["data", "images=5"], "5 images are fewer than datamodule.batch_size=128"),
    ],
)
def test_what_cannot_be_measured_is_named(
    words: list[str], said: str, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("bench", *words) == 1
    assert said in capsys.readouterr().err
