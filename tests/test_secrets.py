"""No key or password reaches a file that a run writes, however it would get there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cnnlab.errors import UserError
from cnnlab.secrets import require_no_secret
from conftest import TINY, runs

Command = Callable[..., int]
SECRETS = {
    "WANDB_API_KEY": "0a1b2c3d4e5f" * 3 + "beef",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG",
    "HF_TOKEN": "hf_notarealtoken",
    "DB_PASSWORD": "correct horse battery",
}


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are in the environment, and W&B is not asked."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("WANDB_MODE", "offline")


def require_nowhere(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    leaks = [(path, name) for path in files for name, value in SECRETS.items() if value.encode() in path.read_bytes()]
    assert not leaks


def test_a_run_writes_no_secret(command: Command, here: Path) -> None:
    assert command("train", "logger=tensorboard", "study=s", *TINY) == 0
    assert runs(here)
    require_nowhere(here)


@pytest.mark.slow
def test_nor_does_a_sweep_with_weights_and_biases(process: Callable[..., Any], here: Path) -> None:
    ended = process("train", "-m", "logger=[wandb,tensorboard]", "seed=0,1", "study=s", *TINY)
    assert ended.returncode == 0, ended.stderr
    assert len(list(here.glob("runs/s/*/wandb/offline-run-*/*.wandb"))) == 2
    require_nowhere(here)
    assert not any(value in ended.stdout + ended.stderr for value in SECRETS.values())


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("+logger.wandb.api_key=abc", "logger.wandb.api_key: no keys or passwords"),
        (f"+note={SECRETS['HF_TOKEN']}", "note: it has the content of HF_TOKEN"),
        (f"study=x-{SECRETS['HF_TOKEN']}", "study: it has the content of HF_TOKEN"),
        ("+note=${oc.env:WANDB_API_KEY}", "${oc.env:WANDB_API_KEY}: a configuration is written"),
        ("+note=${oc.env:WANDB_API_KEY,none}", "${oc.env:WANDB_API_KEY}"),
        ("+note=${oc.env:SOMETHING}", "may only read variables about places and jobs"),
        ("data_dir=${oc.env:NOWHERE_DATA}", "the environment has no NOWHERE_DATA"),
        ('datamodule.mirrors=["https://me:mine@example.org"]', "it has a password in an address"),
        ("+hydra.job.env_set.WANDB_API_KEY=abc", "hydra.job.env_set.WANDB_API_KEY: no keys"),
    ],
)
@pytest.mark.parametrize("sweep", [[], ["-m"]], ids=["single", "sweep"])
def test_a_secret_in_the_configuration_is_refused_and_not_repeated(
    command: Command, here: Path, capsys: pytest.CaptureFixture[str], word: str, said: str, sweep: list[str]
) -> None:
    assert command("train", *sweep, word, *TINY) == 1
    told = capsys.readouterr().err
    assert said in told
    assert not any(value in told for value in SECRETS.values())
    assert list(here.rglob("*.json")) == []


def test_a_place_that_exists_is_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSH_KEY", str(tmp_path))
    require_no_secret({"data_dir": str(tmp_path)})


def test_a_secret_in_a_list_is_found() -> None:
    with pytest.raises(UserError, match=r"tags\.1: it has the content of DB_PASSWORD"):
        require_no_secret({"tags": ["fine", f"no: {SECRETS['DB_PASSWORD']}"]})
