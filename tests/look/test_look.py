"""`cnnlab look`: from a run's folder to files, and what is wrong is named."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from looked import folder_of, predict

from cnnlab.errors import UserError
from cnnlab.look.gallery import names, picture, wanted
from cnnlab.look.help import LOOK_HELP
from cnnlab.look.opened import label_of, opened

Command = Callable[..., int]

WRONG = {
    "": "look: which run?",
    "run=nowhere": "run=nowhere: there is no such folder",
    "run=.": "run=.: it is not the folder of a run",
    "run=lenet pictures=filtres": "there is no picture filtres. Did you mean filters?",
    "run=lenet images=0": "images=0: it must be a whole number from 1 to 400",
    "run=lenet images=many": "images=many",
    "run=lenet class=seven": "class=seven: there is no such class. There are: 0, 1, 2",
    "run=lenet picture=all": "look picture=all: it is not known. Did you mean pictures?",
    "run=lenet --all": "look --all: it is not known",
    "run=lenet pictures=distributions_over_time": "callbacks=[default,pictures], which records them",
    "run=tanh pictures=guided_backprop": "pictures=guided_backprop: this network has no ReLU",
}


@pytest.mark.parametrize("words", WRONG)
def test_what_cannot_be_looked_at_is_named(
    words: str, command: Command, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder_of(here / "lenet")
    if "tanh" in words:
        folder_of(here / "tanh", "model.activation=tanh")
    assert command("look", *words.split()) == 1
    said = capsys.readouterr().err
    assert WRONG[words] in said
    assert len(said.splitlines()) == 1


def test_without_a_choice_what_takes_seconds_is_drawn_and_told(
    command: Command, here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in set(names()) - {"confusion", "filters", "distributions_over_time"}:
        monkeypatch.setattr(picture(name), "CHEAP", False)
    folder = folder_of(here / "lenet")
    predict(opened(folder, 1), np.full((40, 10), 0.1))
    assert command("look", "run=lenet", "images=4") == 0
    assert sorted(file.stem for file in (folder / "pictures").iterdir()) == ["confusion", "filters"]
    said = capsys.readouterr().out
    assert "lenet/pictures/confusion.png\n" in said
    assert "distributions_over_time is left out: it was trained without" in said


def test_pictures_go_where_they_are_wanted(command: Command, here: Path) -> None:
    folder_of(here / "lenet", state="interrupted")
    assert command("look", "run=lenet", "pictures=[filters]", "output=elsewhere") == 0
    assert [file.name for file in (here / "elsewhere").iterdir()] == ["filters.png"]
    assert not (here / "lenet" / "pictures").exists()


def test_pictures_of_a_class_leave_those_of_all_as_they_are(command: Command, here: Path) -> None:
    folder = folder_of(here / "lenet", state="interrupted")
    assert command("look", "run=lenet", "pictures=[filters,grad_cam]", "class=7") == 0
    assert sorted(file.name for file in (folder / "pictures").iterdir()) == ["filters.png", "grad_cam-7.png"]


@pytest.mark.parametrize("words", ["[]", ",", "[ ]"])
def test_no_picture_at_all_is_an_error(words: str) -> None:
    with pytest.raises(UserError, match="it names no picture"):
        wanted(words)


def test_names_are_written_with_brackets_or_without() -> None:
    assert wanted("[filters, grad_cam]") == wanted("filters,grad_cam") == (["filters", "grad_cam"], False)
    assert wanted("all") == (names(), True)


def test_the_help_tells_of_every_picture() -> None:
    assert all(f"\n  {name} " in LOOK_HELP for name in names())


def test_a_run_without_best_weights_says_how_far_it_is(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "run", state="failed")
    (folder / "checkpoints" / "best.ckpt").unlink()
    with pytest.raises(UserError, match=r"it is failed and has no checkpoints/best\.ckpt"):
        opened(folder, 1)


@pytest.mark.parametrize("damage", ["cut", "other network", "no configuration", "another key"])
def test_a_damaged_run_is_named(damage: str, tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "run")
    best, config = folder / "checkpoints" / "best.ckpt", folder / ".hydra" / "config.yaml"
    if damage == "cut":
        best.write_bytes(best.read_bytes()[:1000])
    elif damage == "other network":
        torch.save({"state_dict": {"net.x": torch.zeros(1)}}, best)
    elif damage == "no configuration":
        config.write_text("- nothing\n")
    else:
        config.write_text(config.read_text().replace("num_classes: 10", "num_classes: ten"))
    with pytest.raises(UserError, match=r"best\.ckpt" if damage in ("cut", "other network") else r"config\.yaml"):
        opened(folder, 1)


def test_predictions_of_other_images_are_refused(tmp_path: Path) -> None:
    subject = opened(folder_of(tmp_path / "run"), 1)
    predict(subject, np.full((30, 10), 0.1))
    with np.load(subject.folder / "predictions.npz") as saved:
        index, label, probabilities = (saved[name] for name in ("index", "label", "probabilities"))
    np.savez(subject.folder / "predictions.npz", index=index, label=label[::-1], probabilities=probabilities)
    with pytest.raises(UserError, match="predictions for other images than datamodule=digits"):
        _ = subject.predictions


def test_a_run_that_did_not_test_is_looked_at_by_its_validation_images(tmp_path: Path) -> None:
    subject = opened(folder_of(tmp_path / "run"), 1)
    assert subject.stage == "val"
    assert len(subject.predictions.label) == len(subject.set_of("val"))
    assert "test" not in subject.data.sets


def test_a_class_has_a_name_or_a_number() -> None:
    assert label_of("dog", ["cat", "dog"]) == label_of("1", ["cat", "dog"]) == 1
    with pytest.raises(UserError, match="Did you mean cat"):
        label_of("cta", ["cat", "dog"])
