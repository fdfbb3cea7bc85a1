"""What a user gets wrong is named, with the nearest right thing, before anything is trained."""

from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import TINY, runs

Command = Callable[..., int]

MISTAKES = {
    "model=vgg61": "Did you mean vgg16?",
    "optim=admm": "Did you mean adam?",
    "regularizer=[none,dropuot]": "Did you mean dropout?",
    "modle=vgg16": "there is no key modle. Did you mean model?",
    "trainer.max_epoch=3": "Did you mean trainer.max_epochs?",
    "optim.lr=-1": "optim.lr=-1: it must be greater than 0",
    "optim.lr=abc": "optim.lr=abc: it must be a number",
    "optim.lr=nan": "optim.lr=nan",
    "regularizer.dropout=1.5": "regularizer.dropout=1.5: it must be less than 1",
    "regularizer.norm=bach": "Did you mean batch?",
    "datamodule.batch_size=0": "datamodule.batch_size=0",
    "datamodule.val_fraction=0": "datamodule.val_fraction=0",
    "datamodule.mean=[0.1,0.2]": "one value a channel",
    "trainer.max_epochs=0": "trainer.max_epochs=0",
    "trainer.max_epochs=1.5": "a whole number",
    "trainer.precision=bf17": "bf16-mixed",
    "trainer.devices=3": "cannot be shared equally by 3 processes",
    "scheduler.warmup_epochs=20": "leaves nothing of the 20 epochs",
    "seed=-1": "seed=-1",
    "seed=0,1": "add -m",
    "study=a/b": "must not contain slashes",
    "regularizer=[none,dropout": "cannot be read",
    "model=[lenet5,vgg11]": "-m model=lenet5,vgg11",
    "model.num_classes=5": "model.num_classes=5 is not datamodule.num_classes=10",
    "+optim.weight_decay=0.1": "regularizer.weight_decay",
    "trainer.check_val_every_n_epoch=30": "nothing would be validated",
    "datamodule.source.test_fraction=1.5": "datamodule.source.test_fraction=1.5: it must be more than 0",
    "optim.betas=[0.9]": "optim.betas=[0.9]: it has too few values",
    "datamodule.feed=gpu": "datamodule.feed=gpu is not allowed: auto, device, workers",
    "datamodule.on_bad=ignore": "datamodule.on_bad=ignore is not allowed: error, skip",
    "datamodule.fold=1": "datamodule.fold=1 says nothing without datamodule.folds",
    "datamodule.folds=1": "datamodule.folds=1: it must be greater than or equal to 2",
    "datamodule.label_noise=1.5": "datamodule.label_noise=1.5: it must be less than or equal to 1",
    "datamodule.imbalance=0.5": "datamodule.imbalance=0.5: it must be greater than or equal to 1",
    "regularizer.mixup=-1": "regularizer.mixup=-1: it must be greater than or equal to 0",
    "runs_dir=/proc/nowhere": "/proc/nowhere",
    "datamodule=image_folder": "Missing mandatory value: datamodule.data_dir",
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_is_named_before_any_training(
    command: Command, here: Path, capsys: pytest.CaptureFixture[str], mistake: str
) -> None:
    assert command("train", mistake) == 1
    said = capsys.readouterr().err
    assert MISTAKES[mistake] in said
    assert len(said.splitlines()) <= 2
    assert runs(here) == []


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        ("model.stem=tiny", "model.stem=tiny is not allowed: auto, imagenet, small"),
        ("+optim.foo=1", "unexpected keyword argument 'foo'"),
    ],
)
def test_mistake_that_only_the_parts_can_tell_is_named(
    command: Command, capsys: pytest.CaptureFixture[str], mistake: str, words: str
) -> None:
    assert command("train", "model=resnet20", mistake) == 1
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("word", ["trainer=gpu", "trainer=ddp"])
def test_gpus_that_are_not_there_are_missed_at_once(
    command: Command, capsys: pytest.CaptureFixture[str], word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert command("train", word) == 1
    assert "this machine has 0 GPU(s). trainer=cpu and trainer=ddp_cpu need none" in capsys.readouterr().err


def test_a_fold_beyond_the_last_is_named(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("train", "datamodule.folds=5", "datamodule.fold=5") == 1
    assert "datamodule.fold=5: folds are counted from 0" in capsys.readouterr().err


def test_nothing_is_skipped_unseen(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("train", "datamodule.on_bad=skip", "datamodule.verify=false") == 1
    assert "datamodule.on_bad=skip needs datamodule.verify=true" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["train", "--quite"], "train --quite: there is no such option. Did you mean --quiet?"),
        (["plan", "--wandb-sweeps"], "plan --wandb-sweeps: there is no such option. Did you mean --wandb-sweep?"),
    ],
)
def test_an_unknown_option_is_named(
    words: list[str], said: str, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(*words) == 1
    assert capsys.readouterr().err == f"cnnlab: {said} Try cnnlab {words[0]} --help\n"


def test_a_choice_that_does_not_exist_is_told_in_a_few_lines(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("train", "model=vgg61") == 1
    said = capsys.readouterr().err
    assert "Did you mean vgg16?" in said
    assert len(said) < 300


def test_help_fits_80_columns(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("train", "--help") == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_no_logger_and_no_callback_leave_the_csv_file(command: Command, here: Path) -> None:
    assert command("train", "logger=[]", "callbacks=[]", *TINY[:-1]) == 0
    assert (runs(here)[0] / "metrics.csv").exists()


def test_unknown_command_is_named(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("trian") == 2
    assert "Did you mean train?" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["--help"], ["--version"], ["train", "--help"], ["train", "--cfg", "job"]])
def test_asking_is_no_mistake(command: Command, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert command(*arguments) == 0
    assert capsys.readouterr().out
