"""callbacks=[default,pictures]: pictures for the loggers, while training goes on as if nobody had looked."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from cnnlab.look.loggers import hand_over
from cnnlab.look.opened import opened
from cnnlab.look.pictures.batch import first_batch
from cnnlab.look.spreads import RECORD, read_history
from cnnlab.mixing import Mixing
from conftest import TINY, runs

Command = Callable[..., int]
FEW = "callbacks.pictures.pictures=[filters,grad_cam,distributions_over_time]"
ON = ["callbacks=[quiet,pictures]", FEW, "callbacks.pictures.images=4"]
VARIED = [*TINY, "augment=affine", "regularizer=[dropout,batch_norm]", "regularizer.mixup=0.2"]


def weights_of(run: Path) -> Any:
    return torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)


@pytest.mark.slow
def test_training_goes_on_as_if_nobody_had_looked(
    command: Command, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first: list[Any] = []
    mix = Mixing.__call__

    def noting(self: Mixing, *batch: Any) -> Any:
        mixed = mix(self, *batch)
        first.append((mixed[0].clone(), mixed[1]))
        return mixed

    with monkeypatch.context() as once:
        once.setattr(Mixing, "__call__", noting)
        assert command("train", "study=off", *VARIED) == 0
    assert command("train", "study=on", *VARIED, *ON) == 0
    on, off = sorted(runs(here), key=lambda run: "off" in str(run))
    assert on.name == off.name
    assert (on / "metrics.csv").read_bytes() == (off / "metrics.csv").read_bytes()
    mine, others = weights_of(on), weights_of(off)
    for part in ("state_dict", "optimizer_states"):
        torch.testing.assert_close(mine[part], others[part], rtol=0, atol=0)
    assert not (off / "pictures").exists()

    # the same runs, to save time: what was recorded and drawn, and the first batch as it was trained on
    assert {file.name for file in (on / "pictures").iterdir()} == {
        RECORD,
        *(f"{name}.png" for name in ("distributions", "distributions_over_time", "filters", "grad_cam")),
    }
    assert read_history(on / "pictures" / RECORD).epochs == [0, 1, 2]
    images, targets = first_batch(opened(on, 4))
    assert torch.equal(images, first[0][0])
    assert targets.share == first[0][1].share


@pytest.mark.slow
def test_tensorboard_and_wandb_get_them(command: Command, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    assert command("train", "logger=[csv,tensorboard,wandb]", *TINY, *ON) == 0
    (run,) = runs(here)
    events = EventAccumulator(str(run / "tensorboard"), size_guidance={"images": 0})
    events.Reload()
    assert set(events.Tags()["images"]) == {
        f"pictures/{name}" for name in ("distributions", "distributions_over_time", "filters", "grad_cam")
    }
    assert len(events.Images("pictures/distributions")) == 3
    with Image.open(run / "pictures" / "filters.png") as drawn:
        assert (events.Images("pictures/filters")[0].width, events.Images("pictures/filters")[0].height) == drawn.size
    media = [file.name for file in run.glob("wandb/offline-run-*/files/media/images/pictures/*.png")]
    assert sum(name.startswith("distributions_") for name in media) == 4
    assert sum(name.startswith("filters_") for name in media) == 1


def test_loggers_are_known_by_what_they_can_do(tmp_path: Path) -> None:
    class MlFlow:
        """As Lightning's: an experiment that takes files, and a run."""

        run_id = "7"

        def __init__(self) -> None:
            self.experiment = self
            self.got: list[tuple[str, ...]] = []

        def log_artifact(self, *what: str) -> None:
            self.got.append(what)

    logger = MlFlow()
    hand_over([object(), logger], "filters", tmp_path / "filters.png", 3)
    assert logger.got == [("7", str(tmp_path / "filters.png"), "pictures")]


@pytest.mark.slow
def test_without_a_test_they_are_of_the_validation_set(command: Command, here: Path) -> None:
    choice = "callbacks.pictures.pictures=[confusion]"
    assert command("train", "test=false", *TINY, "callbacks=[quiet,pictures]", choice) == 0
    assert (runs(here)[0] / "pictures" / "confusion.png").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("callbacks.pictures.pictures=[filtres]", "callbacks.pictures.pictures=[filtres]: there is no picture"),
        ("callbacks.pictures.images=1000", "callbacks.pictures.images=1000: it must be 400 at most"),
        ("callbacks.pictures.pictures=[filtres]", "Did you mean filters?"),
        ("callbacks.pictures.every=0", "callbacks.pictures.every=0: it must be a whole number of at least 1"),
        ("callbacks.pictures.pictures=filters", "it must be a list, as [confusion,filters]"),
    ],
)
def test_what_cannot_be_drawn_is_named_before_training(
    words: str, told: str, command: Command, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("train", *TINY, "callbacks=[quiet,pictures]", words) == 1
    assert told in capsys.readouterr().err
    assert not (here / "runs").exists()


@pytest.mark.slow
def test_two_processes_with_shared_norms_draw_once(process: Callable[..., Any], here: Path) -> None:
    words = ["trainer=ddp_cpu", "trainer.sync_batchnorm=true", "regularizer=[none,batch_norm]"]
    done = process("train", *TINY, *ON, *words)
    assert done.returncode == 0, done.stderr
    (run,) = runs(here)
    assert read_history(run / "pictures" / RECORD).epochs == [0, 1, 2]
    assert (run / "pictures" / "grad_cam.png").exists()
