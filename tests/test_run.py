"""A run's folder keeps telling the truth."""

import errno
import json
import os
import socket
from pathlib import Path

import pytest

from cnnlab.atomic import whole, write_json
from cnnlab.data.decode import Unreadable
from cnnlab.errors import DiskFull, Diverged, UserError, WorkerKilled
from cnnlab.run import Run


def state(run: Run) -> tuple[str, int]:
    return run.status["state"], run.status.get("exit_code", -1)


def test_running_while_it_runs_and_done_after(tmp_path: Path) -> None:
    run = Run(tmp_path)
    with run.attempt({}):
        assert state(run) == ("running", -1)
    assert state(run) == ("done", 0)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Diverged("nan"), ("diverged", 1)),
        (RuntimeError("boom"), ("failed", 1)),
        (KeyboardInterrupt(), ("interrupted", 130)),
        (SystemExit(143), ("interrupted", 143)),
    ],
)
def test_whatever_ends_it_is_noted_and_goes_on(tmp_path: Path, error: BaseException, expected: tuple[str, int]) -> None:
    run = Run(tmp_path)
    with pytest.raises(type(error)), run.attempt({}):
        raise error
    assert state(run) == expected


def test_a_failure_keeps_its_traceback(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), Run(tmp_path).attempt({}):
        raise RuntimeError("boom")
    assert "RuntimeError: boom" in Run(tmp_path).status["traceback"]


def test_attempts_are_counted_and_leave_nothing_to_the_next(tmp_path: Path) -> None:
    run = Run(tmp_path)
    for _ in range(2):
        with pytest.raises(RuntimeError), run.attempt({}):
            assert not run.result_file.exists()
            write_json(run.result_file, {})
            raise RuntimeError
    assert run.status["attempt"] == 2


@pytest.mark.parametrize(
    ("error", "goes_on"),
    [
        (Unreadable("photos/1.png cannot be read"), True),
        (DiskFull("no room"), True),
        (WorkerKilled("killed"), True),
        (OSError(errno.ENOSPC, "full"), True),
        (PermissionError(errno.EACCES, "closed"), True),
        (RuntimeError("boom"), False),
    ],
)
def test_what_says_nothing_against_the_checkpoints_costs_none(tmp_path: Path, error: Exception, goes_on: bool) -> None:
    run = Run(tmp_path)
    with pytest.raises(type(error)), run.attempt({}):
        run.checkpoints.mkdir()
        (run.checkpoints / "last.ckpt").touch()
        raise error
    assert run.half_done is goes_on


def test_done_needs_a_result(tmp_path: Path) -> None:
    run = Run(tmp_path)
    with run.attempt({}):
        pass
    assert not run.done
    write_json(run.result_file, {})
    assert run.done


def test_a_folder_that_another_process_trains_in_is_refused(tmp_path: Path) -> None:
    other = {"state": "running", "host": socket.gethostname(), "pid": os.getppid()}
    write_json(tmp_path / "status.json", other)
    with pytest.raises(UserError, match=f"process {os.getppid()}"), Run(tmp_path).attempt({}):
        pass


def test_a_process_that_died_does_not_hold_its_folder(tmp_path: Path) -> None:
    write_json(tmp_path / "status.json", {"state": "running", "host": socket.gethostname(), "pid": 2**22 + 1})
    with Run(tmp_path).attempt({}):
        pass


def test_a_broken_status_is_named(tmp_path: Path) -> None:
    (tmp_path / "status.json").write_text("{")
    with pytest.raises(UserError, match=r"status\.json cannot be read"):
        _ = Run(tmp_path).status


def test_a_file_that_fails_half_way_leaves_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "file.txt"
    file.write_text("old")
    with pytest.raises(RuntimeError), whole(file) as partial:
        partial.write_text("ne")
        raise RuntimeError
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_not_a_number_becomes_null(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", {"a": [float("nan"), 1.0], "b": float("inf")})
    assert json.loads((tmp_path / "x.json").read_text()) == {"a": [None, 1.0], "b": None}
