import os
from typing import Any

import pytest

from cnnlab.errors import UserError
from cnnlab.launch import places
from cnnlab.launch.places import Places, cores, gpus_here, jobs_of


def cell(devices: int = 1, accelerator: str = "auto") -> dict[str, Any]:
    return {"devices": devices, "accelerator": accelerator, "num_nodes": 1}


def test_no_more_processes_run_than_jobs() -> None:
    places = Places(2, [], 1)
    first, second = places.take(cell()), places.take(cell())
    assert first
    assert second
    assert places.take(cell()) is None
    places.give_back(first)
    assert places.take(cell())


def test_small_cells_fill_what_a_large_one_leaves() -> None:
    places = Places(8, [str(n) for n in range(8)], 1)
    taken = [places.take(cell(devices)) for devices in (4, 1, 1, 4, 2)]
    assert [t and len(t.gpus) for t in taken] == [4, 1, 1, None, 2]
    assert sorted(gpu for t in taken if t for gpu in t.gpus) == [str(n) for n in range(8)]


def test_cells_share_a_gpu_when_they_may_and_spread_first() -> None:
    places = Places(4, ["0", "1"], 2)
    assert [taken.gpus for _ in range(4) if (taken := places.take(cell()))] == [("0",), ("1",), ("0",), ("1",)]
    assert places.take(cell()) is None


def test_a_cell_on_the_cpu_takes_no_gpu() -> None:
    taken = Places(1, ["0"], 1).take(cell(accelerator="cpu"))
    assert taken
    assert taken.gpus == ()


def test_a_cell_with_more_processes_than_jobs_runs_alone() -> None:
    places = Places(2, [], 1)
    assert places.take(cell(4))
    assert places.take(cell()) is None


@pytest.mark.parametrize("accelerator", ["gpu", "auto"])
def test_more_gpus_than_there_are_is_an_error(accelerator: str) -> None:
    with pytest.raises(UserError, match=r"trainer.devices=4: this machine has 2 GPU\(s\)"):
        Places(2, ["0", "1"], 1).require(cell(4, accelerator))


def test_the_cores_are_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr(places, "cores", lambda: 16)
    assert Places(4, [], 1).threads(cell()) == 4
    assert Places(100, [], 1).threads(cell()) == 1
    assert Places(1, [], 1).threads(cell(8)) == 2


@pytest.mark.parametrize(("gpus", "cores", "jobs"), [([], 8, 4), ([], 1, 1), (["0", "1", "2"], 8, 6)])
def test_auto_jobs(gpus: list[str], cores: int, jobs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "cores", lambda: cores)
    assert jobs_of("auto", gpus, 2) == jobs


@pytest.mark.parametrize("wanted", ["many", 0, -1, True, 1.5])
def test_other_jobs_are_an_error(wanted: Any) -> None:
    with pytest.raises(UserError, match=rf"hydra.launcher.jobs={wanted}: it must be auto"):
        jobs_of(wanted, [], 1)


@pytest.mark.parametrize(("visible", "gpus"), [("0,3", ["0", "3"]), ("", []), ("-1", []), ("GPU-1a", ["GPU-1a"])])
def test_only_visible_gpus_count(visible: str, gpus: list[str]) -> None:
    assert gpus_here({"CUDA_VISIBLE_DEVICES": visible}) == gpus


def test_cells_of_several_machines_are_not_for_this_launcher() -> None:
    with pytest.raises(UserError, match=r"trainer.num_nodes=2: hydra/launcher=local trains cells on this machine"):
        Places(2, [], 1).require({**cell(), "num_nodes": 2})


def test_cores_are_those_that_this_process_may_use() -> None:
    assert 1 <= cores() <= (os.cpu_count() or 1)
