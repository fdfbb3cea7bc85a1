"""`cnnlab bench models` and `cnnlab bench levers`."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from cnnlab.bench import alone, levers, networks
from cnnlab.bench.levers_report import Measured
from cnnlab.bench.models_report import row_of
from cnnlab.bench.workload import workload
from conftest import compose_config

SMALL = ["datamodule=synthetic", "datamodule.batch_size=2", "trainer.accelerator=cpu"]


def test_families_are_the_lightest_of_each_class() -> None:
    wide, deep, other = (compose_config(f"model={name}") for name in ("resnet20", "resnet110", "vgg11"))
    assert list(networks.lightest({"b": deep, "a": wide, "c": other})) == ["a", "c"]


def test_a_heavy_network_gets_few_images() -> None:
    config = compose_config("model=lenet5", "datamodule.batch_size=16")
    images = [networks.few_images(config, flops)["datamodule"]["batch_size"] for flops in (10**6, 5 * 10**8, 10**11)]
    assert images == [16, 4, 2]


def test_a_step_trains_and_inference_does_not() -> None:
    load = workload(compose_config("model=lenet5", *SMALL))

    def weights() -> torch.Tensor:
        return torch.cat([p.detach().flatten() for p in load.net.parameters()])

    before = weights()
    load.infer()
    assert torch.equal(weights(), before)
    load.train()
    assert not torch.equal(weights(), before)
    assert load.images == 2


def test_every_lever_is_measured_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    config = compose_config("model=lenet5", *SMALL)
    monkeypatch.setenv("CXX", "no-such-compiler")
    some = {"channels_last": {"channels_last": True}, "compile": {"compile": True}, "slow": {"fused": False}}
    found = levers.measure("lenet5", config, some, rounds=3, seconds=0.001)
    assert {name: len(rates) for name, rates in found.rates.items()} == {"float32": 3, "channels_last": 3, "slow": 3}
    assert "no no-such-compiler" in found.errors["compile"]
    assert found.ratio("float32") == 1
    assert found.ratio("compile") is None


def test_a_network_that_fails_is_a_line() -> None:
    config = compose_config("model=lenet5", *SMALL, "datamodule.image_size=8")
    found = levers.measure("lenet5", config, {}, rounds=1, seconds=0.001)
    assert "too small" in found.error
    assert found == Measured("lenet5", 2, {}, {}, "", found.error)


def test_columns_are_timms() -> None:
    config = compose_config("model=lenet5", "datamodule.batch_size=10")
    turn: dict[str, float] = {"flops": 4_000_000, "parameters": 61_706}
    for stage in ("infer", "train"):
        turn |= {f"{stage}_step_seconds": 0.01, f"{stage}_steps": 7, f"{stage}_peak_memory_bytes": 2**20}
    row = row_of("lenet5", turn, config, peak=40e9)
    assert row["infer_samples_per_sec"] == row["train_samples_per_sec"] == 1000
    assert row["infer_step_time"] == 10  # milliseconds
    assert (row["infer_batch_size"], row["infer_img_size"]) == (10, config["datamodule"]["image_size"])
    assert (row["infer_gmacs"], row["param_count"]) == (0.002, 0.06)
    assert (row["infer_peak_share"], row["train_peak_share"]) == (0.1, 0.3)


@pytest.mark.slow
def test_a_process_that_is_killed_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alone, "answer", killed)
    monkeypatch.setattr(alone, "PRELOADED", [])
    found = alone.alone("network", {}, 0.1)
    assert found == {"error": "its process was killed, as for want of memory"}


def killed(*_: object) -> None:
    raise SystemExit(9)


@pytest.mark.slow
def test_networks_are_measured_each_in_its_process(
    command: Callable[..., int], here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["models=resnet20,lenet5", "seconds=0.01", "batch_size=2", "datamodule.image_size=8"]
    assert command("bench", "models", *words) == 0
    folder = here / "runs" / "bench" / "models"
    resnet20, lenet5 = csv.DictReader((folder / "bench.csv").read_text().splitlines())
    assert float(resnet20["train_samples_per_sec"]) > 0
    assert 0 < float(resnet20["infer_peak_share"]) < 1
    assert "too small" in lenet5["error"]
    assert "lenet5 was not measured" in (folder / "table.md").read_text()
    assert json.loads((folder / "bench.json").read_text())["matrix_product_flops_per_second"][0] > 1e8
    assert "resnet20" in (folder / "chart.svg").read_text()
    assert command("bench", "models", "models=lenet5", *words[1:]) == 1
    assert "no network could be measured" in capfd.readouterr().err


@pytest.mark.slow
def test_levers_are_a_table(command: Callable[..., int], here: Path) -> None:
    assert command("bench", "levers", "models=lenet5", "seconds=0.01", "rounds=2", "batch_size=2") == 0
    folder = here / "runs" / "bench" / "levers"
    (lenet5,) = json.loads((folder / "bench.json").read_text())["networks"]
    assert len(lenet5["rates"]["float32"]) == 2
    assert lenet5["ratios"]["bf16"] > 0
    assert "| lenet5 |" in (folder / "table.md").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["models", "models=lenet"], "models=lenet: there is no network lenet. Did you mean lenet5"),
        (["models", "seconds=0"], "seconds=0: it must be a number of more than 0"),
        (["models", "model=lenet5"], "model=lenet5: here models=... and batch_size=... say it"),
        (["levers", "compile=maybe"], "compile=maybe is not allowed: false, true"),
        (["levers", "trainer.channels_last=true"], "trainer.channels_last=true: the bench sets it itself"),
    ],
)
def test_what_cannot_be_measured_is_said(
    words: list[str], said: str, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("bench", *words) == 1
    assert said in capsys.readouterr().err
