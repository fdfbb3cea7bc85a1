"""What strikes a run from outside is told in a line, and costs no epoch."""

import errno
import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from cnnlab import atomic
from cnnlab.classifier import Classifier
from cnnlab.errors import DiskFull, UserError, WorkerKilled
from cnnlab.launch.cell import train_cell
from cnnlab.run import Run
from conftest import TINY, compose_config
from interruptions import assert_same

CPU = [*TINY, "trainer.accelerator=cpu"]


def fail_once_the_curves_have(rows: int, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writing so many epochs of metrics.csv fails."""
    write = Path.write_text

    def write_text(self: Path, text: str, **more: Any) -> int:
        if "metrics" in self.name and len(text.splitlines()) > rows:
            raise OSError(number, os.strerror(number))
        return write(self, text, **more)

    monkeypatch.setattr(Path, "write_text", write_text)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, DiskFull),
        (errno.EDQUOT, DiskFull),
        (errno.EIO, UserError),
        (errno.EROFS, UserError),
        (errno.EACCES, UserError),
    ],
)
def test_a_disk_that_refuses_the_curves_costs_no_epoch(
    number: int, kind: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as meanwhile:
        fail_once_the_curves_have(1, number, meanwhile)
        with pytest.raises(kind, match=f"{os.strerror(number)}.*the same command goes on from"):
            train_cell(compose_config(*CPU), tmp_path, [])
    run = Run(tmp_path)
    assert "traceback" not in run.status
    assert run.half_done


def test_what_a_full_disk_ended_becomes_the_undisturbed_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = compose_config(*CPU)
    with monkeypatch.context() as meanwhile:
        fail_once_the_curves_have(1, errno.ENOSPC, meanwhile)
        with pytest.raises(DiskFull):
            train_cell(config, tmp_path / "struck", [])
    train_cell(config, tmp_path / "struck", [])
    train_cell(config, tmp_path / "alone", [])
    assert_same(tmp_path / "alone", tmp_path / "struck")


def test_a_killed_data_worker_is_told_and_costs_no_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["datamodule.feed=workers", "datamodule.num_workers=1", "augment=affine"]
    config = compose_config(*CPU, *words)
    step = Classifier.training_step

    def kill_workers(self: Classifier, batch: Any, batch_idx: int) -> Any:
        if self.current_epoch == 1 and batch_idx == 2:
            for child in psutil.Process().children():
                os.kill(child.pid, signal.SIGKILL)
            signal.pause()  # until the system says so
        return step(self, batch, batch_idx)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Classifier, "training_step", kill_workers)
        with pytest.raises(WorkerKilled, match=r"killed by signal.* fewer datamodule.num_workers need less"):
            train_cell(config, tmp_path / "struck", [])
    assert Run(tmp_path / "struck").half_done
    train_cell(config, tmp_path / "struck", [])
    train_cell(config, tmp_path / "alone", [])
    assert_same(tmp_path / "alone", tmp_path / "struck")


def test_a_new_name_is_on_the_disk_with_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    sync = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    atomic.write_text(tmp_path / "file", "text")
    assert [Path(path).name for path in synced] == [f".file.{os.getpid()}", tmp_path.name]


def test_signals_reach_who_had_them_before_once_an_error_has_ended_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    fail_once_the_curves_have(1, errno.ENOSPC, monkeypatch)
    with pytest.raises(DiskFull):
        train_cell(compose_config(*CPU), tmp_path, [])
    assert {number: signal.getsignal(number) for number in before} == before
