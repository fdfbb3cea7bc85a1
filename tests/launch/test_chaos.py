"""A grid that is struck by whatever can go wrong, fifty times, comes to the same end as one that is left alone."""

import os
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from chaos import Chaos
from faults import KINDS
from PIL import Image
from sklearn.datasets import load_digits

from interruptions import assert_same

FAULTS = 50
GRID = ["model=lenet5,resnet20", "model.width=0.25", "regularizer=none,all", "seed=range(3)"]
DATA = ["datamodule=image_folder", "datamodule.in_channels=1", "datamodule.mean=[0.5]", "datamodule.std=[0.25]"]
DATA += ["datamodule.image_size=32", "datamodule.batch_size=16", "datamodule.data_dir=digits"]
DATA += ["datamodule.feed=workers", "datamodule.num_workers=1"]
WORDS = [*GRID, *DATA, "trainer=cpu", "trainer.max_epochs=5", "callbacks=quiet", "hydra.launcher.jobs=2"]


def pictures(folder: Path) -> None:
    """Twenty of each digit."""
    digits = load_digits()
    for label in range(10):
        (folder / str(label)).mkdir(parents=True)
        for number, image in enumerate(digits.images[digits.target == label][:20]):
            grey = np.kron(image * 15.9, np.ones((4, 4))).astype(np.uint8)
            Image.fromarray(grey).save(folder / str(label) / f"{number}.png")


def still_there(here: Path) -> list[list[str]]:
    """What processes other than this one do there."""
    everyone = psutil.process_iter(["cwd", "cmdline"])
    return [one.info["cmdline"] for one in everyone if one.info["cwd"] == str(here) and one.pid != os.getpid()]


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", [0])
def test_it_ends_as_an_undisturbed_one(here: Path, seed: int) -> None:
    pictures(here / "digits")
    with (
        Chaos(here, "struck", WORDS, here / "digits", seed) as chaos,
        Chaos(here, "alone", WORDS, here / "digits", seed) as undisturbed,
    ):
        chaos.strike(FAULTS, KINDS)
        codes = [chaos.end()]
        while codes[-1] and len(codes) < 6:
            codes.append(chaos.end())
        told = "\n".join([*chaos.struck, f"{len(chaos.lives)} commands; said last:", *chaos.lives[-1:]])
        assert codes[-1] == 0, told
        assert undisturbed.end() == 0
    struck, alone = chaos.cells(), undisturbed.cells()
    assert [folder.name for folder in struck] == [folder.name for folder in alone]
    assert len(struck) == chaos.done() == 12
    for one, other in zip(struck, alone, strict=True):
        try:
            assert_same(other, one)
        except AssertionError as error:
            raise AssertionError(f"{one.name} differs\n{told}") from error
    said = {f"command {number}": told for number, told in enumerate(chaos.lives)}
    said |= {str(file): file.read_text() for file in chaos.study.glob("*/console.log")}
    tracebacks = [f"{where}: {text}" for where, text in said.items() if "Traceback" in text]
    assert not tracebacks, "\n".join(tracebacks)
    deadline = time.monotonic() + 30
    while (left := still_there(here)) and time.monotonic() < deadline:  # the last ones are about to end
        time.sleep(0.2)
    assert left == []
