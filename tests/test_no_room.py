"""Places that cannot be written to, or are odd: told in a line, and nothing else breaks."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

import pytest

from conftest import TINY, runs

Command = Callable[..., int]


@pytest.mark.parametrize("words", [["train"], ["plan", "seed=0,1"], ["status"], ["data"]])
def test_a_deleted_working_directory_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    from cnnlab import cli

    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    monkeypatch.setattr("sys.argv", ["cnnlab", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == "cnnlab: the working directory does not exist any more: cd to another one\n"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_full_or_read_only_disk_is_told(
    command: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    def write_text(*_: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("cnnlab.run.write_text", write_text)
    assert command("train", *TINY) == 1
    assert f"{os.strerror(number)}: make room" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("stream", ["stdout", "train.log"])
def test_a_full_disk_under_the_log_is_told_once_or_not_at_all(here: Path, stream: str) -> None:
    """/dev/full refuses whatever is written."""
    if stream == "stdout":
        words = "from cnnlab.cli import main; main()"
    else:
        (here / "train.log").symlink_to("/dev/full")
        words = (
            "import logging; from pathlib import Path; from cnnlab.launch.ranks import log_to; log_to(Path())\n"
            "for _ in range(3): logging.getLogger('cnnlab').info('so it is')"
        )
    with Path("/dev/full" if stream == "stdout" else "said").open("w") as output:
        command = [sys.executable, "-c", words, "train", *TINY]
        ended = subprocess.run(command, cwd=here, stdout=output, stderr=subprocess.PIPE, text=True, timeout=120)
    assert "Logging error" not in ended.stderr
    assert "Traceback" not in ended.stderr
    if stream == "stdout":
        assert ended.returncode != 0
        assert "No space left on device: make room" in ended.stderr
    else:
        assert (here / "said").read_text() == "so it is\n" * 3


def test_unicode_and_spaces_in_paths(command: Command, here: Path) -> None:
    assert command("train", "runs_dir='runs/Ergebnisse für ☃ [1]'", "study='s t ü'", *TINY) == 0
    (status,) = here.rglob("status.json")
    assert status.parent.parent == here / "runs" / "Ergebnisse für ☃ [1]" / "s t ü"


@pytest.fixture
def nobodys() -> Iterator[Path]:
    """A folder that everyone may look into: pytest's own are closed to others."""
    with TemporaryDirectory(prefix="cnnlab-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become someone else")
@pytest.mark.parametrize("words", [["train", *TINY], ["train", "-m", "seed=0,1", "study=s", *TINY]])
def test_a_folder_without_permission_is_named(nobodys: Path, words: list[str]) -> None:
    (nobodys / "runs").mkdir()
    (nobodys / "runs").chmod(0o555)
    command = [sys.executable, "-m", "cnnlab", *words]
    as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
    environment = {**os.environ, "HOME": str(nobodys), "PYTHONDONTWRITEBYTECODE": "1"}
    ended = subprocess.run(as_nobody, cwd=nobodys, env=environment, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 1, ended.stderr
    (said,) = ended.stderr.splitlines()
    assert said.startswith("cnnlab: ")
    assert "runs" in said
    assert said.endswith("Permission denied")
    assert runs(nobodys) == []
