"""Levers: keys of trainer.* that make the same training faster, or let it take less memory."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnlab import fast, levers
from cnnlab.build import build_network
from cnnlab.cell import AS_EVER, identity
from cnnlab.inference.evaluate import evaluate
from cnnlab.inference.trained import load_run
from cnnlab.launch.cell import train_cell
from conftest import TINY, compose_config, runs
from interruptions import assert_same, train_to

Command = Callable[..., int]
Process = Callable[..., Any]
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script_method. is deprecated")  # torch.compile imports it
CPU = [*TINY, "trainer.accelerator=cpu"]
REGULARIZED = ["regularizer=[batch_norm,dropout,spatial_dropout]"]


def gradients(net: nn.Module, images: Tensor) -> dict[str, Tensor]:
    torch.manual_seed(0)
    net.train()
    outputs = net(images)
    heads = outputs if isinstance(outputs, tuple) else (outputs,)
    torch.stack([head.square().sum() for head in heads]).sum().backward()  # type: ignore[no-untyped-call]
    return {name: p.grad for name, p in net.named_parameters() if p.grad is not None}


@pytest.mark.parametrize(
    "words",
    [
        ["model=lenet5"],
        ["model=resnet20", "regularizer.stochastic_depth=0.5"],
        pytest.param(["model=googlenet", "model.width=0.25"], marks=pytest.mark.slow),
        pytest.param(["model=densenet40_12"], marks=pytest.mark.slow),
        pytest.param(["model=inception_v4", "model.width=0.1"], marks=pytest.mark.slow),
    ],
)
def test_what_is_computed_twice_gives_the_same_gradients_and_statistics(words: list[str]) -> None:
    config = compose_config(*words, *REGULARIZED, "trainer.activation_checkpointing=true")
    data = config["datamodule"]
    images = torch.randn(4, data["in_channels"], data["image_size"], data["image_size"])
    kept, recomputed = build_network(config), build_network(config)
    levers.pull(recomputed, config["trainer"])
    expected, found = gradients(kept, images), gradients(recomputed, images)
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    states = kept.state_dict(), recomputed.state_dict()
    assert list(states[0]) == list(states[1])
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_less_is_kept_for_backward() -> None:
    def kept_bytes(config: dict[str, Any]) -> int:
        net = build_network(config)
        levers.pull(net, config["trainer"])
        seen: dict[int, int] = {}

        def pack(tensor: Tensor) -> Tensor:
            seen[tensor.data_ptr()] = tensor.nbytes
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            net.train()(torch.randn(8, 1, 32, 32))
        return sum(seen.values())

    as_ever, less = (
        compose_config("model=resnet20", *more) for more in ([], ["trainer.activation_checkpointing=true"])
    )
    assert kept_bytes(less) < 0.6 * kept_bytes(as_ever)


def test_a_copy_of_the_network_has_weights_of_its_own() -> None:
    config = compose_config("model=lenet5", "trainer.activation_checkpointing=true")
    net = build_network(config)
    levers.pull(net, config["trainer"])
    other = copy.deepcopy(net)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.zero_()
    assert gradients(other, torch.randn(2, 1, 32, 32))["features.0.0.weight"].abs().sum() == 0
    assert all(p.grad is None for p in net.parameters())


@pytest.mark.parametrize(
    "words",
    [
        ["trainer.channels_last=true", "trainer.activation_checkpointing=true", "callbacks=[quiet,ema]", *REGULARIZED],
        pytest.param(["trainer.compile=true"], marks=pytest.mark.slow),
        pytest.param(["trainer.precision=bf16-mixed", "trainer.channels_last=true"], marks=pytest.mark.slow),
    ],
)
def test_an_interrupted_run_goes_on_to_the_last_bit_and_is_tested_again(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = compose_config(*CPU, *words)
    undisturbed, interrupted = tmp_path / "undisturbed", tmp_path / "interrupted"
    result = train_cell(config, undisturbed, [])
    assert result is not None
    assert {key: result["environment"][key] for key in levers.LEVERS} == levers.levers_of(config["trainer"])
    train_to(("train", 1, 3), config, interrupted, monkeypatch)
    train_cell(config, interrupted, [])
    assert_same(undisturbed, interrupted)
    trained = load_run(undisturbed)
    again = evaluate(trained, trained.config).metrics
    assert again == {name: value for name, value in result["metrics"].items() if name in again}
    saved = torch.load(undisturbed / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]
    assert list(saved) == [f"net.{name}" for name in build_network(config).state_dict()]


def test_only_training_steps_are_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes: list[Any] = []
    batches: list[int] = []

    def compiled(forward: Callable[..., Tensor], mode: str | None, dynamic: bool) -> Callable[..., Tensor]:
        modes.append((mode, dynamic))

        def counted(net: nn.Module, images: Tensor) -> Tensor:
            batches.append(len(images))
            return forward(net, images)

        return counted

    monkeypatch.setattr(torch, "compile", compiled)
    monkeypatch.setenv("CXX", "true")
    train_cell(compose_config(*CPU, "trainer.compile=max-autotune"), tmp_path, [])
    assert modes == [("max-autotune", False)]
    assert batches == [16] * 16


def test_without_a_compiler_nothing_is_compiled(
    command: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert command("train", "trainer.compile=true", *CPU) == 1
    said = capsys.readouterr().err
    assert "trainer.compile=true: it needs a C++ compiler, and there is no no-such-compiler (Debian: apt-get" in said
    assert "trainer.compile=false trains without" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["trainer.compile=fast"], "trainer.compile=fast is not allowed: "),
        (["trainer.compile=reduce-overhead", "trainer.accelerator=cpu"], "CUDA graphs, which need a GPU"),
        (["trainer.compile=reduce-overhead"], "CUDA graphs, which need a GPU"),
        (["trainer.matmul_precision=tf32"], "trainer.matmul_precision=tf32 is not allowed: highest, high, medium"),
        (["trainer.channels_last=2"], "trainer.channels_last=2: it must be a boolean"),
        (["trainer.activation_checkpointing=true", "trainer.compile=true"], "not with trainer.compile=true"),
        (["trainer.activation_checkpointing=true", "trainer.sync_batchnorm=true"], "not with trainer.sync_batchnorm"),
        (["trainer.cudnn_benchmark=true", "trainer.deterministic=true"], "not with trainer.deterministic=true"),
    ],
)
def test_what_cannot_be_is_refused(
    words: list[str], said: str, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    if torch.cuda.is_available() and words == ["trainer.compile=reduce-overhead"]:
        pytest.skip("here is a GPU")
    assert command("train", *TINY, *words) == 1
    assert said in capsys.readouterr().err


def test_settings_of_the_process_end_with_the_run() -> None:
    config = compose_config("trainer.matmul_precision=high", "trainer.cudnn_benchmark=true")
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.benchmark
    with levers.settings(config["trainer"]):
        assert (torch.get_float32_matmul_precision(), torch.backends.cudnn.benchmark) == ("high", True)
    assert (torch.get_float32_matmul_precision(), torch.backends.cudnn.benchmark) == before


def test_cells_of_before_keep_their_names() -> None:
    config = compose_config()
    before = copy.deepcopy(config)
    for key in (*AS_EVER, "activation_checkpointing"):
        del before["trainer"][key]
    assert identity(config) == identity(before)


def test_levers_that_change_digits_make_another_cell() -> None:
    words = ("fast=false", "fast=true", "channels_last=true", "compile=true", "matmul_precision=high")
    assert len({identity(compose_config(f"trainer.{word}")) for word in words}) == len(words)
    assert identity(compose_config("trainer.activation_checkpointing=true")) == identity(compose_config())


BF16 = {"precision": "bf16-mixed", "channels_last": True}


@pytest.mark.parametrize(
    ("device", "bf16", "flops", "deterministic", "on"),
    [
        ("cpu", True, 8e7, False, BF16),
        ("cpu", True, 8e5, False, {}),
        ("cpu", False, 8e7, False, {}),
        ("cuda", True, 8e7, False, {**BF16, "cudnn_benchmark": True}),
        ("cuda", True, 8e7, True, BF16),
        ("cuda", False, 8e7, False, {"cudnn_benchmark": True}),
        ("mps", True, 8e7, False, {}),
    ],
)
def test_what_is_safe(device: str, bf16: bool, flops: float, deterministic: bool, on: dict[str, Any]) -> None:
    assert fast.safe(torch.device(device), bf16, int(flops), deterministic)[0] == on


def test_fast_decides_once_for_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "cnnlab")
    config = compose_config(*CPU, "trainer.fast=true")
    monkeypatch.setattr(fast, "SMALL", 0)
    with monkeypatch.context() as here:
        here.setattr(fast, "has_bf16", lambda _: True)
        train_to(("train", 1, 3), config, tmp_path, monkeypatch)
    assert "trainer.fast turns on precision=bf16-mixed, channels_last=true (this CPU has bf16" in caplog.text
    result = train_cell(config, tmp_path, [])  # elsewhere
    assert "trainer.fast goes on with precision=bf16-mixed, channels_last=true (as the run began)" in caplog.text
    assert result is not None
    assert result["environment"] | BF16 == result["environment"]
    trained = load_run(tmp_path)
    assert trained.config["trainer"] | BF16 == trained.config["trainer"]
    assert evaluate(trained, trained.config).metrics["test/loss"] == result["metrics"]["test/loss"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ["trainer.activation_checkpointing=true", "trainer.channels_last=true", "model=resnet20"],
        ["trainer.fast=true"],
    ],
)
def test_several_processes(words: list[str], process: Process, here: Path) -> None:
    ended = process("train", "trainer=ddp_cpu", *TINY, *words, "study=s")
    assert ended.returncode == 0, ended.stderr
    assert len(runs(here)) == 1
