import json
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from cnnlab.bench.curve import Curve
from cnnlab.bench.plan import doubling
from cnnlab.bench.scaling import Links, all_reduce_seconds, predict, ring_seconds
from cnnlab.bench.steps import Turn, gradient_bytes
from conftest import compose_config

SLOW = Links(inside=300e9, between=1.25e9)
FAST = Links(inside=300e9, between=12.5e9)
FREE = Links(inside=float("inf"), between=float("inf"), inside_latency=0, between_latency=0)


def test_a_ring_sends_everything_twice_but_for_its_own_part() -> None:
    assert ring_seconds(4, 100e6, 10e9, 1e-6) == pytest.approx(0.015 + 6e-6)  # 2 * 3/4 * 0.01 s, 6 messages
    assert ring_seconds(1, 100e6, 10e9, 1e-6) == 0


def test_nodes_sum_among_themselves_and_then_with_others() -> None:
    inside = 2 * 7 / 8 * 100e6 / 300e9 + 14 * 5e-6
    between = 2 * 12 / 13 * 100e6 / 1.25e9 + 24 * 20e-6
    assert all_reduce_seconds(100, 100e6, SLOW) == pytest.approx(inside + between)  # 13 nodes, the last part full
    assert all_reduce_seconds(8, 100e6, SLOW) == ring_seconds(8, 100e6, SLOW.inside, SLOW.inside_latency)


def test_efficiency_is_compute_over_compute_and_what_is_not_hidden() -> None:
    links = Links(inside=1e9, between=1e9, inside_latency=0, between_latency=0)
    one = predict(2, 0.1, 100e6, links)  # an all-reduce of 0.1 s, of which 2/3 * 0.1 s are hidden at best
    assert one.all_reduce_seconds == pytest.approx(0.1)
    assert (one.worst, one.best) == pytest.approx((1 / 2, 3 / 4))


@pytest.mark.parametrize(("gpus", "links"), [(1, SLOW), (100, FREE)])
def test_nothing_is_lost_alone_or_with_perfect_links(gpus: int, links: Links) -> None:
    one = predict(gpus, 0.1, 100e6, links)
    assert (one.worst, one.best) == (1, 1)


def test_efficiency_falls_with_gpus_and_bytes_and_rises_with_bandwidth_and_compute() -> None:
    several = [predict(gpus, 0.06, 100e6, SLOW) for gpus in (1, 2, 8, 9, 64, 100)]
    assert all(a.worst > b.worst and a.best >= b.best for a, b in pairwise(several))
    assert all(one.worst <= one.best for one in several)
    at = predict(64, 0.06, 100e6, SLOW)
    assert predict(64, 0.06, 200e6, SLOW).best < at.best < predict(64, 0.06, 100e6, FAST).best
    assert at.worst < predict(64, 0.12, 100e6, SLOW).worst


def test_a_curve_compares_round_by_round() -> None:
    one, two = [Turn(1.0, 1.0, 0), Turn(2.0, 2.0, 0)], [Turn(1.25, 1.0, 0.1), Turn(2.5, 2.0, 0.1)]
    curve = Curve(8, {1: one, 2: two})
    assert curve.rates().rates == {"1": [8, 4], "2": [16 / 1.25, 16 / 2.5]}
    assert curve.speedup(2) == pytest.approx(1.6)
    assert curve.all_reduce_share(2) == pytest.approx(0.2)
    assert Curve(8, {1: one, 2: [Turn(1.0, 1.1, 0)]}).all_reduce_share(2) == 0
    assert curve.all_reduce_share(1) == 0


def test_ranks_double_up_to_all() -> None:
    assert [doubling(most) for most in (1, 2, 6, 8)] == [[1], [1, 2], [1, 2, 4, 6], [1, 2, 4, 8]]


def test_gradients_are_those_of_what_is_trained() -> None:
    words = ("model=resnet20", "datamodule=synthetic")
    assert gradient_bytes(compose_config(*words)) == 4 * 269_722
    assert gradient_bytes(compose_config(*words, "trainer.precision=bf16-true")) == 2 * 269_722
    assert gradient_bytes(compose_config(*words, "model.freeze=backbone")) == 4 * (64 * 10 + 10)


@pytest.mark.slow
def test_two_ranks_are_measured_against_one(
    process: Callable[..., "subprocess.CompletedProcess[str]"], here: Path
) -> None:
    words = ["model=lenet5", "ranks=2", "rounds=1", "steps=2", "datamodule.batch_size=4", "trainer.accelerator=cpu"]
    done = process("bench", "ddp", *words)
    assert done.returncode == 0, done.stderr
    folder = here / "runs" / "bench" / "ddp-lenet5-synthetic"
    figures = json.loads((folder / "bench.json").read_text())
    assert list(figures["measured"]) == ["1", "2"]
    assert figures["measured"]["1"]["efficiency"] == 1
    two = figures["measured"]["2"]
    assert two["images_per_second"] == [2 * 4 / two["rounds"][0]["step"]]
    assert two["rounds"][0]["all_reduce"] > 0
    assert figures["gradient_bytes"] == 4 * 62_006  # three channels
    assert figures["predicted"]["compute_seconds"] == figures["measured"]["1"]["rounds"][0]["step"]
    table = (folder / "table.md").read_text()
    assert "all-reduce share" in table
    assert "PREDICTED, not measured" in table
    with Pillow.open(folder / "chart.png") as chart:
        assert np.asarray(chart.convert("L")).std() > 5
    assert "ideal" in (folder / "chart.svg").read_text()


def test_without_rounds_it_predicts_for_a_given_step(
    command: Callable[..., int], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("bench", "ddp", "rounds=0", "step_ms=100", "gpus=8,100", "inter=1.25", "model.width=0.5") == 0
    assert "PREDICTED, not measured" in capsys.readouterr().out
    figures = json.loads((here / "runs/bench/ddp-resnet20-synthetic/bench.json").read_text())
    assert figures["measured"] == {}
    rows = figures["predicted"]["rows"]
    assert [row["gpus"] for row in rows] == [8, 100]
    assert rows[1]["worst"] == predict(100, 0.1, figures["gradient_bytes"], SLOW).worst


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ranks=0"], "ranks=0: it must be whole numbers of at least 1"),
        (["ranks=one"], "ranks=one: it must be whole numbers"),
        (["rounds=-1"], "rounds=-1: it must be a whole number of at least 0"),
        (["rounds=0"], "step_ms=..., the milliseconds of a step, must be given"),
        (["steps=0"], "steps=0: it must be a whole number of at least 1"),
        (["step_ms=0"], "step_ms=0: it must be a number of more than 0"),
        (["step_ms=1,2"], "step_ms=1,2: it must be one number"),
        (["gpus=0"], "gpus=0: it must be whole numbers"),
        (["inter=fast"], "inter=fast: it must be a number of more than 0, or several"),
        (["trainer.devices=2"], "trainer.devices=2: here ranks=1,2 says"),
        (["trainer.precision=16-mixed"], "trainer.precision=16-mixed is not allowed: 32-true"),
        (["model.freeze=nothing_of_it"], "model.freeze=nothing_of_it is not allowed"),
        (["datamodule.image_size=0"], "datamodule.image_size=0"),
        (["model=lenet5", "datamodule.image_size=8"], "image_size=8 is too small for LeNet-5"),
    ],
)
def test_what_cannot_be_measured_is_named(
    words: list[str], said: str, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("bench", "ddp", *words) == 1
    assert said in capsys.readouterr().err


def test_more_ranks_than_gpus_are_refused(
    command: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.version.cuda", "13.0")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    assert command("bench", "ddp", "ranks=1,4") == 1
    assert "ranks=1,4: this machine has 2 GPU(s)" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("raises", ["UserError('the user can mend it')", "KeyError('lost')"])
def test_a_rank_that_fails_is_told_by_its_own_error(raises: str, here: Path) -> None:
    code = (
        "import os, time\n"
        "from cnnlab.launch.agent import on_ranks\n"
        "from pathlib import Path\n"
        "from cnnlab.launch.nodes import Nodes\n"
        "from cnnlab.errors import UserError\n"
        "def work():\n"
        "    if os.environ['RANK'] == '1':\n"
        f"        raise {raises}\n"
        "    time.sleep(600)\n"
        "try: on_ranks(work, processes=2, nodes=Nodes(), start_method='fork', words=Path('words'))\n"
        "except Exception as error: print(type(error).__name__, error, flush=True)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=here, capture_output=True, text=True, timeout=60)
    said = {"U": "UserError the user can mend it", "K": "RankFailed rank 1: KeyError: 'lost'"}[raises[0]]
    assert said in ran.stdout, ran.stderr
