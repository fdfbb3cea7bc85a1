"""What a cell may spend is the same whatever its network, its batch size and its data."""

import csv
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from cnnlab import budget
from cnnlab.build import build_data, build_network
from cnnlab.callbacks.stopwatch import Stopwatch
from cnnlab.cell import identity
from cnnlab.check import check
from cnnlab.conf import composed
from cnnlab.cost import flops
from cnnlab.errors import UserError
from cnnlab.explain import explain
from cnnlab.launch.cell import train_cell
from conftest import compose_config, runs, train_until

STEPS = ["budget=steps", "budget.amount=100"]
FLOPS = ["budget=flops", "budget.amount=1e11"]
SECONDS = ["budget=seconds", "budget.amount=5", "scheduler=constant"]
QUICK = ["datamodule.fraction=0.1", "datamodule.batch_size=16", "callbacks=quiet", "trainer.accelerator=cpu"]  # 8 steps


def steps_an_epoch(config: dict[str, Any]) -> int:
    """As training has them."""
    data = build_data(config)
    data.setup("fit")
    return -(-len(data.train_dataloader()) // int(config["trainer"]["accumulate_grad_batches"]))


def limits(config: dict[str, Any]) -> tuple[int, int]:
    return config["trainer"]["max_steps"], config["trainer"]["max_epochs"]


@pytest.mark.parametrize(
    ("overrides", "epochs"),
    [
        ([], 3),  # 40 batches of 32
        (["datamodule.batch_size=64"], 5),  # 20 batches
        (["datamodule.batch_size=64", "trainer.accumulate_grad_batches=3"], 15),  # 7 steps an epoch
        (["trainer.limit_train_batches=10"], 10),
        (["trainer.limit_train_batches=0.5"], 5),
        (["datamodule.fraction=0.5"], 5),
    ],
)
def test_steps_decide_on_epochs(overrides: list[str], epochs: int) -> None:
    assert limits(compose_config(*STEPS, *overrides)) == (100, epochs)


@pytest.mark.parametrize(
    "overrides",
    [
        ["datamodule.folds=3", "datamodule.fraction=0.5", "datamodule.imbalance=10", "datamodule.batch_size=1"],
        ["datamodule=synthetic", "datamodule.batch_size=1"],
    ],
)
def test_images_are_counted_as_they_train(overrides: list[str]) -> None:
    config = compose_config("budget=steps", "budget.amount=1", *overrides)
    steps = steps_an_epoch(config)
    for amount, epochs in ((steps, 1), (steps + 1, 2)):
        assert compose_config("budget=steps", f"budget.amount={amount}", *overrides)["budget"]["epochs"] == epochs


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["model=resnet20"],
        ["model=resnet20", "model.width=0.5", "regularizer=all", "datamodule.batch_size=64"],
        ["datamodule.batch_size=100", "trainer.accumulate_grad_batches=5", "trainer.limit_train_batches=7"],
        ["datamodule.image_size=28", "datamodule.fraction=0.3"],
    ],
)
def test_operations_decide_on_steps(overrides: list[str]) -> None:
    """Three forward passes an image; one step more would be too much."""
    config = compose_config(*FLOPS, *overrides)
    data, trainer = config["datamodule"], config["trainer"]
    of_image = 3 * flops(build_network(config), data["in_channels"], data["image_size"])
    images_a_step = data["batch_size"] * trainer["accumulate_grad_batches"]
    steps, epochs = limits(config)
    if trainer["limit_train_batches"] == 7:  # 500, then 200 images
        images = steps // 2 * 700 + steps % 2 * 500
        images_a_step = 500
    else:
        images = steps * images_a_step
    assert images * of_image <= 1e11 < (images + images_a_step) * of_image
    assert epochs == -(-steps // (steps_an_epoch(config)))


def test_regularizers_cost_nothing() -> None:
    plain, all_on = (limits(compose_config(*FLOPS, f"regularizer={r}")) for r in ("none", "all"))
    assert plain == all_on


def test_half_the_operations_an_image_are_twice_the_steps() -> None:
    wide, narrow = (compose_config(*FLOPS, "model=resnet20", f"model.width={w}") for w in (1, 0.5))
    assert limits(narrow)[0] > 3.5 * limits(wide)[0]


def test_schedules_follow() -> None:
    config = compose_config(*STEPS, "scheduler=multistep", "datamodule.batch_size=128")
    assert limits(config) == (100, 10)
    assert config["scheduler"]["milestones"] == [5, 8]


def test_a_budget_wins_over_an_experiments_epochs() -> None:
    assert limits(compose_config(*STEPS, "experiment=lenet5_digits"))[1] == 3


def test_epochs_change_nothing() -> None:
    assert limits(compose_config("budget=epochs", "trainer.max_epochs=7")) == (-1, 7)


def test_the_same_training_has_the_same_identity() -> None:
    epochs, steps, others = (
        identity(compose_config(*words))
        for words in (["trainer.max_epochs=3", "trainer.max_steps=100"], STEPS, [*STEPS[:1], "budget.amount=101"])
    )
    assert epochs == steps != others


def test_nothing_costly_is_imported_or_read_for_epochs() -> None:
    code = "from cnnlab.conf import composed, register; register(); composed(); import sys; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "lightning", "sklearn", "cnnlab.budget"} & set(ran.stdout.split())


def test_data_and_networks_are_looked_at_once() -> None:
    compose_config(*FLOPS)
    before = [f.cache_info().misses for f in (budget._training_images, budget._flops)]
    for seed in (1, 2):
        compose_config(*FLOPS, f"seed={seed}", f"datamodule.batch_size={8 * seed}", "regularizer=dropout")
    assert [f.cache_info().misses for f in (budget._training_images, budget._flops)] == before


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["budget=steps"], "Missing mandatory value: budget.amount"),
        (["budget=seconds"], "Missing mandatory value: budget.amount"),
        (["budget=steps", "budget.amount=1.5"], "budget.amount=1.5: it must be a whole number"),
        (["budget=steps", "budget.amount=0"], "budget.amount=0: it must be a whole number"),
        (["budget=flops", "budget.amount=-1"], "budget.amount=-1: it must be a number"),
        (["budget=flops", "budget.amount=many"], "budget.amount=many: it must be a number"),
        (["budget=flops", "budget.amount=1e6"], r"budget.amount=1e\+06: one step of lenet5 takes 7.997e\+07 FLOPs"),
        (["budget=seconds", "budget.amount=0", "scheduler=constant"], "budget.amount=0: it must be greater than 0"),
        (["budget=seconds", "budget.amount=null", "scheduler=constant"], "it must be a number above 0"),
        (["budget.amount=7"], "budget.amount=7: with budget=epochs trainer.max_epochs is the budget"),
        ([*STEPS, "trainer.max_epochs=9"], "trainer.max_epochs=9: budget=steps makes it 3"),
        ([*STEPS, "debug=fast"], "trainer.max_epochs=1: budget=steps makes it 50"),
        ([*FLOPS, "trainer.max_steps=9"], "trainer.max_steps=9: budget=flops makes it 1250"),
        ([*SECONDS, "trainer.max_epochs=9"], "trainer.max_epochs=9: budget=seconds makes it 1000000"),
        ([*SECONDS[:2], "scheduler=cosine"], "scheduler=cosine must know how long .*constant, exponential, plateau"),
        ([*SECONDS[:2], "scheduler=step"], "scheduler=step must know how long"),
        ([*SECONDS, "trainer.check_val_every_n_epoch=2"], "check_val_every_n_epoch=2: with budget=seconds"),
        ([*STEPS, "datamodule.batch_size=many"], "datamodule.batch_size=many: it must be a whole number"),
        ([*STEPS, "datamodule.batch_size=4096"], "datamodule.batch_size=4096 is more than the 1295 training images"),
        ([*FLOPS, "model.width=wide"], "model.width=wide: it must be a number"),
        ([*STEPS, "datamodule=image_folder", "datamodule.data_dir=nowhere"], "datamodule.data_dir=nowhere is not a"),
        (["trainer.max_steps=0"], "trainer.max_steps=0: it must be"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_name(overrides: list[str], told: str) -> None:
    with pytest.raises((UserError, OmegaConfBaseException)) as caught:
        check(composed(*overrides))
    assert re.search(told, explain(caught.value) or "")


def weights(folder: Path) -> dict[str, Any]:
    saved: dict[str, Any] = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    return saved


@pytest.mark.parametrize("pieces", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_training_ends_after_so_many_steps_and_is_validated(pieces: int, tmp_path: Path) -> None:
    """Eight batches an epoch: the second ends after its third. The cosine has come to its end then."""
    config = compose_config(*QUICK, "budget=steps", "budget.amount=11", f"trainer.micro_batches={pieces}")
    train_cell(config, tmp_path, [])
    saved = weights(tmp_path)
    assert saved["global_step"] == 11
    assert max(saved["lr_schedulers"][0]["_last_lr"]) < 1e-9
    rows = list(csv.DictReader((tmp_path / "metrics.csv").read_text().splitlines()))
    assert [bool(row["val/accuracy"]) for row in rows] == [True, True]
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["metrics"]["val/accuracy"] == pytest.approx(max(float(row["val/accuracy"]) for row in rows))
    assert "test/accuracy" in result["metrics"]


def a_second_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of a clock, which would make tests depend on the machine."""
    monkeypatch.setattr(Stopwatch, "training_seconds", property(lambda watch: watch.images / 16))


@pytest.mark.parametrize("seconds", [5, 11])
def test_training_ends_when_its_time_is_spent(seconds: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_second_a_step(monkeypatch)
    config = compose_config(*QUICK, *SECONDS, f"budget.amount={seconds}")
    result = train_cell(config, tmp_path, [])
    assert weights(tmp_path)["global_step"] == seconds
    assert result is not None
    assert {"val/accuracy", "test/accuracy"} <= set(result["metrics"])


def test_a_step_is_not_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_second_a_step(monkeypatch)
    train_cell(compose_config(*QUICK, *SECONDS, "trainer.accumulate_grad_batches=4"), tmp_path, [])
    assert weights(tmp_path)["global_step"] == 2  # of four batches each


def test_a_run_that_goes_on_has_what_is_left_of_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_second_a_step(monkeypatch)
    config = compose_config(*QUICK, *SECONDS, "budget.amount=19")
    undisturbed, interrupted = tmp_path / "undisturbed", tmp_path / "interrupted"
    train_cell(config, undisturbed, [])
    train_until(1, config, interrupted, monkeypatch)
    train_cell(config, interrupted, [])
    first, second = (weights(folder) for folder in (undisturbed, interrupted))
    assert first["global_step"] == second["global_step"] == 19
    assert all(torch.equal(tensor, second["state_dict"][name]) for name, tensor in first["state_dict"].items())


@pytest.mark.slow
def test_two_processes_end_together(command: Callable[..., int], here: Path) -> None:
    words = [*QUICK, *SECONDS, "budget.amount=0.3", "trainer.devices=2", "study=a"]
    assert command("train", *words) == 0
    folder = runs(here)[0]
    assert weights(folder)["global_step"] > 0
    assert json.loads((folder / "result.json").read_text())["metrics"]["test/accuracy"] > 0


def test_the_run_says_how_long_it_trains(
    command: Callable[..., int], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("train", *QUICK[:2], "budget=steps", "budget.amount=3", "study=a") == 0
    assert "1 epochs, 3 steps" in capsys.readouterr().out
    config = OmegaConf.load(runs(here)[0] / ".hydra" / "config.yaml")
    assert (config.budget.name, config.trainer.max_epochs, config.trainer.max_steps) == ("steps", 1, 3)
