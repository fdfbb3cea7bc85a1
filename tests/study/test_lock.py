"""Two commands never train one study at once, and a lock never outlives who had it."""

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cnnlab.errors import UserError
from cnnlab.process import begun, lives
from cnnlab.study.lock import LOCK, give_back, take
from conftest import TINY, runs

Command = Callable[..., int]
HOLD = """
import sys, time
from pathlib import Path
from cnnlab.study.lock import take
held = take(Path(sys.argv[1]), ["seed=0,1", "study=s"])
print("held", flush=True)
time.sleep(300)
"""


@pytest.fixture
def holder(here: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that trains the study runs/s."""
    study = here / "runs" / "s"
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(study)], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def note(study: Path, **changes: Any) -> None:
    """What someone who has the lock wrote."""
    study.mkdir(parents=True, exist_ok=True)
    words = {"host": os.uname().nodename, "pid": os.getpid(), "since": 1.0, "started": "today", "command": "a command"}
    (study / LOCK).write_text(json.dumps({**words, **changes}))


def test_the_second_command_says_who_trains_the_study(
    holder: "subprocess.Popen[str]", command: Command, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("train", "-m", "seed=0,1", "study=s", *TINY) == 1
    said = capsys.readouterr().err
    assert f"runs/s is being trained by process {holder.pid} on {os.uname().nodename}, since 2" in said
    assert "cnnlab train -m seed=0,1 study=s. Wait for it (cnnlab status runs/s --watch), or stop it first" in said
    assert len(said.splitlines()) == 1
    assert runs(here) == []


@pytest.mark.usefixtures("holder")
def test_looking_and_planning_go_on_meanwhile(command: Command, here: Path) -> None:
    assert command("plan", "seed=0,1", "study=s", "hydra.launcher.rehearse=false", *TINY) == 0
    (here / "runs" / "s" / "study.json").write_text("{}")
    assert command("status", "s") == 0


def test_the_lock_of_a_killed_command_is_free(
    holder: "subprocess.Popen[str]", here: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    give_back(take(here / "runs" / "s", []))
    assert f"(process {holder.pid}) was killed; going on" in caplog.text


def test_a_command_on_another_host_is_told_with_what_to_do(tmp_path: Path) -> None:
    note(tmp_path, host="elsewhere", pid=7)
    with pytest.raises(UserError, match=rf"process 7 on elsewhere.*does not, delete {tmp_path / LOCK}"):
        take(tmp_path, [])
    (tmp_path / LOCK).unlink()
    give_back(take(tmp_path, []))


@pytest.mark.parametrize("error", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_where_files_cannot_be_locked_the_process_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    def flock(*_: Any) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr("fcntl.flock", flock)
    parent = os.getppid()
    note(tmp_path, pid=parent, since=begun(parent))
    with pytest.raises(UserError, match=f"process {parent}"):
        take(tmp_path, [])
    note(tmp_path, pid=parent, since=(begun(parent) or 0) - 100)  # its number was another's then
    give_back(take(tmp_path, []))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"host": 1}', '{"pid": 1e999}', "\0" * 50, "[" * 10_000])
def test_a_broken_lock_file_keeps_nobody_out(tmp_path: Path, text: str) -> None:
    (tmp_path / LOCK).write_text(text)
    give_back(take(tmp_path, []))


def test_a_sweep_gives_its_lock_back(command: Command, here: Path) -> None:
    assert command("train", "-m", "model=unknown", "study=s", *TINY) == 1
    assert command("train", "-m", "seed=0,1", "optim.lr=-1", "study=s", *TINY) == 1
    (here / "runs" / "s").mkdir(parents=True, exist_ok=True)
    give_back(take(here / "runs" / "s", []))


def test_a_study_that_was_trained_is_free(command: Command, here: Path) -> None:
    assert command("train", "-m", "seed=0", "study=s", "hydra.launcher.rehearse=false", *TINY) == 0
    assert (here / "runs" / "s" / LOCK).read_text() == ""
    give_back(take(here / "runs" / "s", []))


def test_a_process_is_known_whatever_the_clock_says(monkeypatch: pytest.MonkeyPatch) -> None:
    since = begun(os.getpid())
    monkeypatch.setattr("time.time", lambda: 0.0)
    monkeypatch.setattr("psutil.boot_time", lambda: 0.0)
    assert lives(os.getpid(), since)
    assert not lives(os.getpid(), (since or 0) + 60)


def test_a_process_that_ended_does_not_live() -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    assert not lives(ended.pid, None)
