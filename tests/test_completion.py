"""What the Tab key offers."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cnnlab import completion as completion_module
from cnnlab.commands import COMMANDS
from cnnlab.completion import SHELLS, completion, offers
from cnnlab.errors import UserError


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("mo", "model="),
        ("model=vg", "model=vgg16"),
        ("model=vgg11,res", "model=vgg11,resnet20"),
        ("regularizer=[none,dr", "regularizer=[none,dropout"),
        ("optim.", "optim.lr="),
        ("-", "--quiet"),
    ],
)
def test_groups_choices_and_keys_are_offered(typed: str, offered: str) -> None:
    assert offered in offers("train")(typed)


def test_studies_are_offered_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "depth" / "cell").mkdir(parents=True)
    (tmp_path / "runs" / "depth" / "cell" / "status.json").write_text("{}")
    assert "depth" in offers("report")("")


def test_folders_are_offered_as_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "depth").mkdir(parents=True)
    assert offers("eval")("run=runs/") == ["run=runs/depth/"]
    assert offers("compare")("ru") == ["runs/"]


def answered(line: str) -> list[str]:
    """What a shell would be told, over the file descriptor 8 that it listens to."""
    told = os.pipe()
    asking = {"_ARGCOMPLETE": "1", "COMP_LINE": line, "COMP_POINT": str(len(line)), "_ARGCOMPLETE_IFS": "\n"}
    command = f"exec 8>&{told[1]}; exec {sys.executable} -m cnnlab"
    subprocess.run(["bash", "-c", command], env={**os.environ, **asking}, pass_fds=(told[1],), check=True)
    os.close(told[1])
    with os.fdopen(told[0]) as pipe:
        return pipe.read().split()


@pytest.mark.parametrize(
    ("command", "typed", "offered"),
    [
        ("plan", "--", "--wandb-sweep"),
        ("dashboard", "--", "--metric"),
        ("models", "goo", "googlenet"),
        ("bench", "", "grid"),
        ("look", "pic", "pictures="),
        ("look", "pictures=gr", "pictures=grad_cam"),
        ("look", "pictures=[filters,gr", "pictures=[filters,grad_cam"),
        ("eval", "tt", "tta="),
        ("eval", "datamodule=ci", "datamodule=cifar10"),
        ("predict", "on_bad=", "on_bad=skip"),
        ("export", "form", "format="),
        ("serve", "po", "port="),
    ],
)
def test_every_commands_words_are_offered(command: str, typed: str, offered: str) -> None:
    assert offered in offers(command)(typed)


def test_keys_that_are_offered_are_those_that_the_commands_take() -> None:
    from cnnlab.inference import eval_command, export, predict
    from cnnlab.look import command
    from cnnlab.serve import command as serve

    taken = {"eval": eval_command, "export": export, "predict": predict, "look": command, "serve": serve}
    for name, module in taken.items():
        assert set(completion_module.KEYS[name]) == set(module.KEYS) - {"allowed_packages"}, name


def test_a_shell_that_asks_is_answered() -> None:
    assert answered("cnnlab tr") == ["train"]
    assert "--quiet" in answered("cnnlab train --")
    assert answered("cnnlab plan --w") == ["--wandb-sweep"]
    assert "--version" in answered("cnnlab --")
    assert answered("cnnlab bench gr") == ["grid"]
    assert answered("cnnlab bench grid mod")[0].startswith("model")
    assert "vgg11,vgg13" in " ".join(answered("cnnlab train -m model=vgg11,vg"))


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_has_its_lines(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    completion([shell])
    assert "cnnlab" in capsys.readouterr().out


@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh here")
def test_zsh_takes_the_lines_before_anything_else_is_set_up(capsys: pytest.CaptureFixture[str]) -> None:
    completion(["zsh"])
    lines = capsys.readouterr().out
    done = subprocess.run(["zsh", "-f", "-c", lines], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_another_shell_is_refused() -> None:
    with pytest.raises(UserError, match="csh"):
        completion(["csh"])


def test_every_command_is_offered_something() -> None:
    for command in COMMANDS:
        assert isinstance(offers(command)(""), list)
