"""What only shows in processes of their own: DDP, signals, an installed wheel."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from conftest import REPOSITORY, TINY, runs

Process = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.mark.slow
def test_ddp_in_a_sweep_trains_on_two_ranks(process: Process, here: Path) -> None:
    done = process("train", "-m", "trainer.devices=1,2", "trainer.accelerator=cpu", "study=s", *TINY)
    assert done.returncode == 0, done.stderr
    assert sorted("2 x CPU" in (run / "train.log").read_text() for run in runs(here)) == [False, True]
    for run in runs(here):
        with np.load(run / "predictions.npz") as saved:
            assert saved["index"].tolist() == list(range(359))


@pytest.mark.slow
@pytest.mark.parametrize(
    "overrides",
    [
        ["model=googlenet", "model.width=0.1", "model.freeze=features.0"],
        ["model=resnet20", "model.width=0.25", "callbacks=[quiet,gradual_unfreezing]"],
    ],
)
def test_heads_frozen_layers_and_unfreezing_work_on_two_ranks(process: Process, overrides: list[str]) -> None:
    limits = ["trainer.limit_train_batches=2", "trainer.limit_val_batches=1", "trainer.limit_test_batches=1"]
    done = process("train", "datamodule=synthetic", "trainer=ddp_cpu", *limits, *TINY, *overrides)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_rank_that_fails_is_told_by_its_own_error(process: Process, here: Path) -> None:
    done = process("train", "trainer=ddp_cpu", "datamodule.image_size=8", *TINY)
    assert done.returncode == 1
    assert "image_size=8 is too small for LeNet-5" in done.stderr
    assert json.loads((runs(here)[0] / "status.json").read_text())["state"] == "failed"


@pytest.mark.parametrize(
    ("number", "code", "trainer"),
    [
        (signal.SIGTERM, 143, "cpu"),
        (signal.SIGINT, 130, "cpu"),
        pytest.param(signal.SIGTERM, 143, "ddp_cpu", marks=pytest.mark.slow),
    ],
)
def test_a_signal_to_all_processes_is_no_success(here: Path, number: signal.Signals, code: int, trainer: str) -> None:
    started = subprocess.Popen(
        [sys.executable, "-m", "cnnlab", "train", "study=s", "trainer.max_epochs=500", f"trainer={trainer}"],
        cwd=here,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not list(here.glob("runs/s/*/metrics.csv")):
        assert time.monotonic() < deadline, "no epoch was trained"
        time.sleep(0.2)
    os.killpg(started.pid, number)
    assert started.wait(25) == code  # torch's agent kills after 30 seconds what does not end by itself
    status = json.loads((runs(here)[0] / "status.json").read_text())
    assert (status["state"], status["exit_code"]) == ("interrupted", code)


@pytest.mark.slow
def test_a_users_own_model_is_found_beside_them(process: Process, here: Path) -> None:
    (here / "conf" / "model").mkdir(parents=True)
    (here / "conf" / "model" / "mine.yaml").write_text(
        "# @package _global_\ndefaults: [_base]\nmodel: {name: mine, _target_: mine.Mine}\n"
    )
    (here / "mine.py").write_text(
        "from torch import nn\n"
        "class Mine(nn.Sequential):\n"
        "    def __init__(self, layers, num_classes, in_channels, image_size):\n"
        "        super().__init__(layers.conv(in_channels, 4, 3, stride=2), nn.Flatten(),\n"
        "            layers.logits(4 * ((image_size - 1) // 2) ** 2, num_classes))\n"
    )
    done = process("train", "model=mine", "study=s", "allowed_packages=mine", *TINY)
    assert done.returncode == 0, done.stderr
    assert runs(here)[0].name.startswith("mine-")


def test_a_file_that_hides_one_of_ours_is_refused(process: Process, here: Path) -> None:
    (here / "conf" / "model").mkdir(parents=True)
    (here / "conf" / "model" / "lenet5.yaml").write_text("model: {}\n")
    done = process("train", "--cfg", "job")
    assert done.returncode == 1
    assert "rename it" in done.stderr


@pytest.mark.slow
def test_a_config_dir_is_found(process: Process, here: Path) -> None:
    (here / "own" / "optim").mkdir(parents=True)
    (here / "own" / "optim" / "mysgd.yaml").write_text("_target_: torch.optim.SGD\n_partial_: true\nlr: 0.1\n")
    done = process("train", "--config-dir", "own", "optim=mysgd", *TINY)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_an_installed_wheel_trains_from_any_folder(here: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(here / "dist"), str(REPOSITORY)]
    subprocess.run(build, check=True, capture_output=True, timeout=300)
    wheel = next((here / "dist").glob("*.whl"))
    site = here / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run(install, check=True, timeout=300)
    (here / "else").mkdir()
    ran = subprocess.run(
        [sys.executable, "-m", "cnnlab", "train", "-m", "seed=0,1", *TINY],
        cwd=here / "else",
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr
    assert len(runs(here / "else")) == 2
    where = [sys.executable, "-c", "import cnnlab; print(cnnlab.__file__)"]
    used = subprocess.run(where, env={**os.environ, "PYTHONPATH": str(site)}, capture_output=True, text=True)
    assert used.stdout.startswith(str(site))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_trains(process: Process, here: Path) -> None:
    done = process("train", "trainer=gpu", "trainer.precision=bf16-mixed", *TINY)
    assert done.returncode == 0, done.stderr
    assert runs(here)


@pytest.mark.slow
def test_quiet_says_nothing_of_what_goes_well(process: Process, here: Path) -> None:
    done = process("train", "--quiet", "study=s", *(word for word in TINY if not word.startswith("callbacks")))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert runs(here)


def test_quiet_says_what_goes_wrong(process: Process) -> None:
    done = process("train", "--quiet", "regularizer.dropout=2")
    assert (done.returncode, done.stdout) == (1, "")
    assert "regularizer.dropout=2" in done.stderr
