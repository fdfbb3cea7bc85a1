"""Checkpoints are whole or not there, and hold tensors and plain values alone."""

import logging
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning import Trainer

from cnnlab import checkpoints
from cnnlab.build import build_classifier, build_network
from cnnlab.checkpoints import WholeFiles, begin, best
from cnnlab.errors import DiskFull, UserError
from cnnlab.launch.cell import train_cell
from cnnlab.run import Run
from conftest import TINY, compose_config, stems


def saved(batches: int, score: float | None = None) -> dict[str, Any]:
    """The least that a run goes on from."""
    return {
        "epoch": 3,
        "global_step": 3,
        "position": {"batches": batches, "finished": False, "ended": False, "sums": [{}], "lr": 0.1},
        "callbacks": {"best.ckpt": {"score": score}},
        "state_dict": {"weight": torch.arange(1000.0)},
        "loops": {"fit_loop": {}},
        "optimizer_states": [{"state": {}, "param_groups": []}],
        "lr_schedulers": [],
    }


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """A folder with last.ckpt, of 2 batches, and previous.ckpt, of 1."""
    for batches in (0, 1, 2):
        WholeFiles().save_checkpoint(saved(batches), tmp_path / "last.ckpt")
    return tmp_path


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """Files cannot grow larger meanwhile, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(("new", "expected"), [(0.4, False), (0.5, True), (0.6, True)])
def test_of_epochs_that_tie_the_latest_is_kept(tmp_path: Path, new: float, expected: bool) -> None:
    callback = best(tmp_path)
    callback.best_model_score = torch.tensor(0.5)
    assert callback.check_monitor_top_k(Trainer(logger=False), torch.tensor(new)) is expected


def test_the_last_two_are_kept(two: Path) -> None:
    assert names(two) == ["last.ckpt", "previous.ckpt"]
    position = [torch.load(two / name, weights_only=True)["position"]["batches"] for name in names(two)]
    assert position == [2, 1]
    begun = begin(two)
    assert begun is not None
    assert (begun.epochs, begun.batches) == (3, 2)


def test_a_checkpoint_that_cannot_be_written_leaves_the_others(two: Path) -> None:
    with pytest.raises(Exception, match="pickle"):
        WholeFiles().save_checkpoint({"step": lambda: 2}, two / "last.ckpt")
    assert names(two) == ["last.ckpt", "previous.ckpt"]
    assert torch.load(two / "last.ckpt", weights_only=True)["position"]["batches"] == 2


def test_a_full_disk_leaves_the_others_and_says_so(two: Path) -> None:
    with room_for(2000), pytest.raises(DiskFull, match=r"last.ckpt: .* The checkpoints before it are whole"):
        WholeFiles().save_checkpoint(saved(3), two / "last.ckpt")
    assert names(two) == ["last.ckpt", "previous.ckpt"]
    assert torch.load(two / "last.ckpt", weights_only=True)["position"]["batches"] == 2


def test_what_reads_differently_than_it_was_written_does_not_take_the_name(
    two: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "damaged_part", lambda _: "archive/data/0")
    with pytest.raises(OSError, match="reads differently"):
        WholeFiles().save_checkpoint(saved(3), two / "last.ckpt")
    assert torch.load(two / "last.ckpt", weights_only=True)["position"]["batches"] == 2


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 and no more", b"\x80\x04N."])
def test_a_run_goes_on_from_the_newest_that_is_whole_and_says_what_it_passed_over(
    two: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (two / "last.ckpt").write_bytes(damage)
    with caplog.at_level(logging.WARNING):
        begun = begin(two)
    assert begun is not None
    assert (begun.file.name, begun.batches) == ("previous.ckpt", 1)
    assert "last.ckpt is passed over" in caplog.text


def test_no_damaged_byte_is_taken_for_what_was_written(two: Path) -> None:
    file = two / "last.ckpt"
    whole = file.read_bytes()
    expected = torch.load(file, weights_only=True)["state_dict"]["weight"]
    refused = 0
    for at in range(0, len(whole), 7):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        begun = begin(two)
        assert begun is not None
        if begun.file == file:  # the byte is padding
            assert begun.batches == 2
            assert torch.equal(torch.load(file, weights_only=True)["state_dict"]["weight"], expected)
        refused += begun.file != file
    assert refused > 0.5 * len(whole) / 7
    for length in range(0, len(whole), 97):
        file.write_bytes(whole[:length])
        begun = begin(two)
        assert begun is not None
        assert begun.batches == 1


def test_without_its_best_weights_a_run_begins_anew(tmp_path: Path) -> None:
    WholeFiles().save_checkpoint(saved(1, score=0.5), tmp_path / "last.ckpt")
    assert begin(tmp_path) is None
    WholeFiles().save_checkpoint(saved(1, score=0.5), tmp_path / "best.ckpt")
    assert begin(tmp_path) is not None


def test_between_two_renames_the_previous_one_is_there(two: Path) -> None:
    (two / "last.ckpt").unlink()
    begun = begin(two)
    assert begun is not None
    assert begun.batches == 1
    WholeFiles().save_checkpoint(saved(5), two / "last.ckpt")
    assert names(two) == ["last.ckpt", "previous.ckpt"]


def test_what_a_killed_process_had_begun_to_write_is_taken_away(tmp_path: Path) -> None:
    begun = [tmp_path / ".status.77.json", tmp_path / "checkpoints" / ".last.77.ckpt"]
    kept = [tmp_path / ".hydra" / "config.yaml", tmp_path / "checkpoints" / "last.ckpt", tmp_path / ".mine"]
    for file in (*begun, *kept):
        file.parent.mkdir(exist_ok=True)
        file.touch()
    with Run(tmp_path).attempt({}, resume=True):
        pass
    assert not any(file.exists() for file in begun)
    assert all(file.exists() for file in kept)


@pytest.mark.parametrize("path", ["https://example.org/last.ckpt", "s3://bucket/last.ckpt", "nowhere.ckpt"])
def test_a_checkpoint_from_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(UserError, match="must be a file on this machine"):
        WholeFiles().load_checkpoint(path)


def test_nothing_in_a_checkpoint_is_executed(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return Path.touch, (tmp_path / "executed",)

    torch.save({**saved(1), "more": Evil()}, tmp_path / "last.ckpt")
    assert begin(tmp_path) is None
    with pytest.raises(Exception, match="Weights only load failed"):
        WholeFiles().load_checkpoint(tmp_path / "last.ckpt", weights_only=False)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(("optim", "scheduler"), list(zip(stems("optim"), cycle(stems("scheduler")), strict=False)))
def test_the_state_of_every_optimizer_and_schedule_is_plain(optim: str, scheduler: str, tmp_path: Path) -> None:
    assert len(stems("optim")) >= len(stems("scheduler"))
    config = compose_config(f"optim={optim}", f"scheduler={scheduler}", "regularizer=all")
    net = build_network(config)
    classifier = build_classifier(config, net)
    optimizer = classifier.make_optimizer(net)
    schedules = classifier.make_schedule(optimizer, 100, 10)
    net(torch.zeros(2, 1, 32, 32)).sum().backward()
    optimizer.step()
    states = [optimizer.state_dict(), *(one["scheduler"].state_dict() for one in schedules)]
    WholeFiles().save_checkpoint({"states": states}, tmp_path / "some.ckpt")
    assert WholeFiles().load_checkpoint(tmp_path / "some.ckpt")["states"][0]["param_groups"]


GROUPS = [f"{group}={name}" for group in ("optim", "scheduler", "regularizer") for name in stems(group)]
GROUPS += [f"callbacks=[quiet,{name}]" for name in stems("callbacks") if name != "quiet"]


@pytest.mark.slow
@pytest.mark.parametrize("words", GROUPS)
def test_each_checkpoint_of_each_configuration_is_plain(words: str, tmp_path: Path) -> None:
    model = ["model=resnet20", "model.width=0.25"] if "norm" in words or "depth" in words else []
    config = compose_config(*TINY, "trainer.limit_train_batches=2", *model, words)
    train_cell(config, tmp_path, [])
    files = sorted((tmp_path / "checkpoints").iterdir())
    assert [file.name for file in files] == ["best.ckpt", "last.ckpt", "previous.ckpt"]
    assert all(torch.load(file, weights_only=True)["state_dict"] for file in files)


def test_what_is_damaged_after_it_was_looked_at_is_not_loaded(two: Path) -> None:
    begun = begin(two)
    assert begun is not None
    content = bytearray(begun.file.read_bytes())
    content[len(content) // 2] ^= 255
    begun.file.write_bytes(content)
    with pytest.raises(UserError, match=r"last.ckpt is damaged .*goes on without it"):
        WholeFiles().load_checkpoint(begun.file)
