"""Trained weights find their places, or every mismatch is named."""

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnlab import weights
from cnnlab.build import build_network
from cnnlab.check import check
from cnnlab.errors import UserError
from conftest import TINY, compose_config, runs

SHAPE = ["datamodule=synthetic", "datamodule.num_classes=10"]


def network(*overrides: str) -> nn.Module:
    return build_network(compose_config(*SHAPE, *overrides))


def saved(net: nn.Module, path: Path, prefix: str = "other.") -> str:
    """A state dict with other names, as another library would have."""
    state = OrderedDict((f"{prefix}{i}.{name}", t) for i, (name, t) in enumerate(net.state_dict().items()))
    torch.save(state, path)
    return str(path)


@pytest.fixture
def resnet_file(tmp_path: Path) -> str:
    return saved(network("model=resnet20", "seed=1"), tmp_path / "resnet20.pth")


def test_order_and_shape_decide_and_names_do_not(resnet_file: str) -> None:
    net = network("model=resnet20")
    weights.load(net, resnet_file, {}, "batch")
    other = network("model=resnet20", "seed=1")
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), other.parameters(), strict=True))


def test_a_new_number_of_classes_gets_a_new_output_layer(resnet_file: str) -> None:
    net = network("model=resnet20", "datamodule.num_classes=7")
    before = net.classifier[-1].weight.clone()  # type: ignore[index, union-attr]
    weights.load(net, resnet_file, {}, "batch")
    assert torch.equal(net.classifier[-1].weight, before)  # type: ignore[index, union-attr]
    first = next(network("model=resnet20", "seed=1").parameters())
    assert torch.equal(next(net.parameters()), first)


def test_each_mismatch_is_named(resnet_file: str) -> None:
    with pytest.raises(UserError) as caught:
        weights.load(network("model=resnet20", "datamodule.in_channels=1"), resnet_file, {}, "batch")
    message = str(caught.value)
    assert "features.0.0.weight [16, 1, 3, 3] here, other.0.features.0.0.weight [16, 3, 3, 3] in the file" in message
    assert message.count("\n") == 1


def test_missing_layers_are_named_without_blaming_the_rest(resnet_file: str) -> None:
    with pytest.raises(UserError) as caught:
        weights.load(network("model=resnet20", "model.blocks=[3,3,4]"), resnet_file, {}, "batch")
    lines = str(caught.value).splitlines()[1:]
    assert len(lines) == 10  # two convolutions, two norms of four tensors
    assert all("nothing in the file" in line for line in lines)


def test_a_network_does_not_change_when_a_file_does_not_fit(resnet_file: str) -> None:
    net = network("model=resnet20", "model.blocks=[3,3,4]")
    before = [p.clone() for p in net.parameters()]
    with pytest.raises(UserError):
        weights.load(net, resnet_file, {}, "batch")
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))


def test_auxiliary_heads_are_left_out_where_there_are_none(tmp_path: Path) -> None:
    narrow = ["model=googlenet", "model.width=0.1"]
    path = saved(network(*narrow), tmp_path / "googlenet.pth", prefix="")
    state = torch.load(path, weights_only=True)
    torch.save({name.split(".", 1)[1]: tensor for name, tensor in state.items()}, path)
    net = network(*narrow, "model.auxiliary=false")
    weights.load(net, path, {}, "none")
    assert torch.equal(next(net.parameters()), next(iter(state.values())))


def test_a_bias_before_a_norm_moves_into_its_running_mean() -> None:
    torch.manual_seed(0)
    theirs = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3)).eval()
    state = [(n, t) for n, t in theirs.state_dict().items() if "batches" not in n]
    ours = nn.Sequential(nn.Conv2d(2, 3, 3, bias=False), nn.BatchNorm2d(3)).eval()
    for (name, tensor), (_, into) in zip(
        weights.without_idle_biases(state),
        [named for named in ours.state_dict().items() if "batches" not in named[0]],
        strict=True,
    ):
        assert tensor.shape == into.shape, name
        into.copy_(tensor)
    images = torch.randn(2, 2, 5, 5)
    assert torch.allclose(ours(images), theirs(images), atol=1e-6)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"extra", b"PK\x03\x04"])
def test_a_file_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"weights.pth is not a state dict"):
        weights.read(path)


class Harmful:
    """Would run a command if it were unpickled."""

    def __reduce__(self) -> tuple[Callable[[str], Any], tuple[str]]:
        import os

        return os.system, ("touch harmed",)


def test_nothing_in_a_file_is_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"weight": Harmful()}, "weights.pth")
    with pytest.raises(UserError, match=r"weights.pth is not a state dict of tensors alone"):
        weights.read(Path("weights.pth"))
    assert not Path("harmed").exists()


@pytest.mark.parametrize("content", [{}, {"weight": 1.0}, [1, 2], torch.ones(2), {1: torch.ones(1)}])
def test_something_else_than_tensors_by_name_is_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "weights.pth")
    with pytest.raises(UserError, match=r"something else than tensors by name"):
        weights.read(tmp_path / "weights.pth")


def test_values_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    torch.save({"a.weight": torch.tensor([1.0, float("nan")])}, tmp_path / "weights.pth")
    with pytest.raises(UserError, match=r"a.weight is not finite"):
        weights.read(tmp_path / "weights.pth")


@pytest.mark.parametrize(("prefix", "inside"), [("", False), ("module.", False), ("", True), ("net.", True)])
def test_other_libraries_wrappings_are_taken_off(tmp_path: Path, prefix: str, inside: bool) -> None:
    state = {f"{prefix}weight": torch.ones(2)}
    torch.save({"state_dict": state} if inside else state, tmp_path / "weights.pth")
    assert list(weights.read(tmp_path / "weights.pth")) == ["weight"]


def test_imagenet_weights_are_for_the_imagenet_stem() -> None:
    net = network("model=resnet18", "model.width=0.1", "datamodule.image_size=32")
    with pytest.raises(UserError, match=r"datamodule.image_size=224"):
        weights.load(net, "imagenet", {"batch": "http://127.0.0.1:9/net-00000000.pth"}, "batch")


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that serves a file from the loopback, and a cache of its own for torch.hub."""
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "hub"))
    monkeypatch.setattr(weights, "ORIGIN", "http://127.0.0.1:")
    folder = tmp_path / "served"
    folder.mkdir()
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    monkeypatch.setattr(SimpleHTTPRequestHandler, "log_message", lambda *_: None)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()

    def serve(state: dict[str, Tensor], digest: str | None = None) -> str:
        import hashlib

        torch.save(state, folder / "weights.pth")
        digest = digest or hashlib.sha256((folder / "weights.pth").read_bytes()).hexdigest()[:8]
        (folder / "weights.pth").rename(folder / f"net-{digest}.pth")
        return f"http://127.0.0.1:{server.server_address[1]}/net-{digest}.pth"

    yield serve
    server.shutdown()
    server.server_close()


def test_fetched_weights_are_checked_and_kept(address: Callable[..., str], tmp_path: Path) -> None:
    url = address({"weight": torch.ones(2)})
    assert torch.equal(weights.fetched(url)["weight"], torch.ones(2))
    assert list((tmp_path / "hub" / "checkpoints").glob("net-*.pth"))
    (tmp_path / "served").joinpath(url.rsplit("/", 1)[-1]).unlink()
    assert torch.equal(weights.fetched(url)["weight"], torch.ones(2))


def test_a_damaged_file_in_the_cache_is_refused(address: Callable[..., str], tmp_path: Path) -> None:
    url = address({"weight": torch.ones(2)})
    weights.fetched(url)
    next((tmp_path / "hub" / "checkpoints").glob("net-*.pth")).write_bytes(b"damaged")
    with pytest.raises(UserError, match=r"is damaged: its hash is .* Delete it"):
        weights.fetched(url)


def test_fetched_weights_with_another_hash_are_refused(address: Callable[..., str]) -> None:
    with pytest.raises(UserError, match="invalid hash value"):
        weights.fetched(address({"weight": torch.ones(2)}, digest="0123abcd"))


@pytest.mark.usefixtures("address")
def test_without_a_network_the_place_is_named() -> None:
    with pytest.raises(UserError, match=r"Without a network put it at .*hub/checkpoints/net-00000000.pth"):
        weights.fetched("http://127.0.0.1:9/net-00000000.pth")


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (
            ["model=lenet5", "model.weights=imagenet", "datamodule=cifar10"],
            "not for lenet5 with regularizer.norm=none; it has none",
        ),
        (
            ["model=vgg16", "model.weights=imagenet", "regularizer.norm=group", "datamodule=cifar10"],
            "regularizer.norm=none or batch",
        ),
        (["model=resnet18", "model.weights=imagenet"], "is for images of 3 channels, not 1"),
        (["model.weights=nowhere.pth"], "model.weights=nowhere.pth is neither imagenet nor a file"),
    ],
)
def test_weights_that_are_not_there_are_refused_before_the_start(overrides: list[str], told: str) -> None:
    with pytest.raises(UserError, match=told):
        check(compose_config(*overrides))


def test_a_run_begins_with_the_weights_of_another(
    command: Callable[..., int], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = [*TINY, "study=a"]
    assert command("train", *first) == 0
    best = next(iter(runs(here))) / "checkpoints" / "best.ckpt"
    assert command("train", *TINY, "study=b", f"model.weights={best}", "model.freeze=backbone") == 0
    told = capsys.readouterr().out
    assert f"10 tensors from {best}" in told
    assert "850 of them are trained" in told
    new = torch.load(here.joinpath("runs", "b") / runs(here)[-1].name / "checkpoints" / "best.ckpt", weights_only=True)
    old = torch.load(best, weights_only=True)
    same = [name for name, tensor in old["state_dict"].items() if torch.equal(tensor, new["state_dict"][name])]
    assert len(same) == 8  # all but the output layer's weight and bias
