"""A YAML file that someone shares runs no code; a package that the user names on the command line does."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cnnlab.allowed import allow, packages, require_name
from cnnlab.errors import UserError
from cnnlab.targets import make
from conftest import TINY

Command = Callable[..., int]
# each would leave a file `here`, or do worse, if it were run
CODE = {
    "the system": "model: {name: m, _target_: os.system, command: touch here}",
    "an argument": "model: {what: {_target_: subprocess.Popen, args: [touch, here]}}",
    "in a list": "augment: {transforms: [{_target_: subprocess.call, _args_: [[touch, here]]}]}",
    "eval": "optim: {_target_: builtins.eval, _args_: [\"open('here', 'w')\"]}",
    "a partial": "callbacks: {mine: {_target_: os.system, _partial_: true, command: touch here}}",
    "twice resolved": "model: {what: '\\${oc.create:\"{_target_: os.system, command: touch here}\"}'}",
    "a loader": "model: {name: m, _target_: torch.load, f: here, weights_only: false}",
    "the hub": "model: {name: m, _target_: torch.hub.load, repo_or_dir: a/b, model: m}",
    "a compiler": "model: {name: m, _target_: torch.utils.cpp_extension.load, sources: [a.cpp]}",
    "cnnlab itself": "model: {name: m, _target_: cnnlab.__main__.main}",
    "cnnlab's files": "model: {name: m, _target_: cnnlab.atomic.write_text, path: here, text: x}",
    "a list for a name": "model: {_target_: [os.system]}",
    "its own permission": "allowed_packages: [json]\nmodel: {name: m, _target_: json.dumps, obj: x}",
}
# names that look right, and stand for something else
DISGUISED = {
    "model": "torch.nn.modules.module.torch.load",
    "optim": "torch.optim.Optimizer.load_state_dict",
    "logger.mine": "cnnlab.loggers.wandb_begin.os.system",
    "scheduler": "cnnlab.schedules.lr.StepLR",
    "datamodule.source": "cnnlab.data.download.shutil.rmtree",
    "augment.transforms.0": "cnnlab.data.idx.unpacked",
}


def shared(here: Path, text: str) -> None:
    """experiment=shared has that text."""
    (here / "conf" / "experiment").mkdir(parents=True)
    (here / "conf" / "experiment" / "shared.yaml").write_text(f"# @package _global_\n{text}\n")


@pytest.mark.parametrize("code", CODE)
def test_code_in_a_shared_file_is_not_run(
    command: Command, here: Path, capsys: pytest.CaptureFixture[str], code: str
) -> None:
    refused(command, here, capsys, CODE[code], "train")


@pytest.mark.parametrize("words", ["train -m seed=0,1", "data"])
def test_nor_by_a_sweep_or_by_a_look_at_data(
    command: Command, here: Path, capsys: pytest.CaptureFixture[str], words: str
) -> None:
    refused(command, here, capsys, CODE["in a list"], *words.split())


def refused(command: Command, here: Path, capsys: pytest.CaptureFixture[str], code: str, *words: str) -> None:
    """In one line, with nothing done."""
    shared(here, code)
    assert command(*words, "experiment=shared") == 1
    said = capsys.readouterr().err
    assert any(words in said for words in ("is not run", "full name", "hold another", "cannot allow packages")), said
    assert len(said.splitlines()) == 1
    assert list(here.iterdir()) == [here / "conf"]


@pytest.mark.parametrize("place", DISGUISED)
def test_what_a_name_stands_for_is_looked_at(place: str) -> None:
    with pytest.raises(UserError, match="is not run: it is "):
        make(place, {"_target_": DISGUISED[place]})


@pytest.mark.parametrize("name", ["torch.nn.Identity", "cnnlab.models.layers.Layers.conv", "cnnlab.models.lenet._no"])
def test_nothing_else_of_cnnlab_or_torch_is_called(name: str) -> None:
    with pytest.raises(UserError):
        make("scheduler", {"_target_": name})


def test_a_package_is_allowed_on_the_command_line(
    command: Command, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CNNLAB_ALLOWED_PACKAGES", "")
    monkeypatch.syspath_prepend(here)
    (here / "own_optimizer.py").write_text("import torch\n\n\nclass Mine(torch.optim.SGD):\n    pass\n")
    shared(here, "optim: {_target_: own_optimizer.Mine, _partial_: true, lr: 0.1}")
    words = ["train", "experiment=shared", "optim=sgd", *TINY]
    assert command(*words) == 1
    said = capsys.readouterr().err
    assert "optim._target_=own_optimizer.Mine is not run: there it may be torch.optim.*" in said
    assert "allowed_packages=own_optimizer on the command line" in said
    assert command(*words, "allowed_packages=own_optimizer") == 0


@pytest.mark.parametrize("word", ["allowed_packages=a", "+allowed_packages=[a,b]", "allowed_packages=['a', \"b\"]"])
def test_packages_are_named_in_a_list_or_alone(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("CNNLAB_ALLOWED_PACKAGES", "c")
    allow(["model=x", word])
    assert packages() >= {"a", "c"}


@pytest.mark.parametrize("odd", ["os", "subprocess", "builtins", "a.b", "a/b"])
def test_pythons_own_packages_are_never_allowed(monkeypatch: pytest.MonkeyPatch, odd: str) -> None:
    monkeypatch.setenv("CNNLAB_ALLOWED_PACKAGES", "")
    with pytest.raises(UserError, match="no package of yours"):
        allow([f"allowed_packages={odd}"])
    monkeypatch.setenv("CNNLAB_ALLOWED_PACKAGES", odd)
    with pytest.raises(UserError, match=r"is not run|full name"):
        require_name("model", f"{odd}.system")


def test_what_an_allowed_package_imports_is_not_allowed(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNLAB_ALLOWED_PACKAGES", "own_tools")
    monkeypatch.syspath_prepend(here)
    (here / "own_tools.py").write_text("import os\n")
    with pytest.raises(UserError, match=r"own_tools\.os\.system is not run: it is posix\.system"):
        make("model", {"_target_": "own_tools.os.system", "command": "touch here"})
    assert not (here / "here").exists()


def test_the_working_directory_is_searched_last_and_only_by_whoever_allows_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delenv("CNNLAB_ALLOWED_PACKAGES", raising=False)
    allow([])
    assert str(tmp_path) not in sys.path
    monkeypatch.setenv("CNNLAB_ALLOWED_PACKAGES", "mine")
    allow([])
    assert sys.path[-1] == str(tmp_path)
