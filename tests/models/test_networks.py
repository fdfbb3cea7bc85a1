"""Every network of conf/model, with every regularization."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnlab.cost import flops, parameters
from cnnlab.errors import UserError
from cnnlab.losses import Objective
from cnnlab.models.meta import forward_on_meta
from cnnlab.train import build_network
from conftest import compose_config, stems

MODELS = stems("model")
IMAGENET = ["datamodule=synthetic", "datamodule.num_classes=1000", "datamodule.image_size=224"]
SMALL = ["datamodule=synthetic", "datamodule.image_size=20"]
# trainable parameters: those that the papers' or torchvision's networks have
GOLDEN = {
    "lenet5": (61_706, ["datamodule=mnist", "datamodule.image_size=32"]),
    "alexnet": (61_100_840, IMAGENET),
    "vgg11": (132_863_336, IMAGENET),
    "vgg13": (133_047_848, IMAGENET),
    "vgg16": (138_357_544, IMAGENET),
    "vgg19": (143_667_240, IMAGENET),
    "resnet18": (11_689_512, IMAGENET),
    "resnet34": (21_797_672, IMAGENET),
    "resnet50": (25_557_032, IMAGENET),
    "resnet101": (44_549_160, IMAGENET),
    "resnet152": (60_192_808, IMAGENET),
    "resnet20": (269_722, ["datamodule=cifar10"]),
    "resnet32": (464_154, ["datamodule=cifar10"]),
    "resnet44": (658_586, ["datamodule=cifar10"]),
    "resnet56": (853_018, ["datamodule=cifar10"]),
    "resnet110": (1_727_962, ["datamodule=cifar10"]),
}
# multiply-accumulates of one 224x224 image, as torchvision's networks have them
MACS = {
    "alexnet": 714_188_480,
    "vgg11": 7_609_090_048,
    "vgg16": 15_470_264_320,
    "resnet18": 1_814_073_344,
    "resnet50": 4_089_184_256,
}


def network(*overrides: str) -> nn.Module:
    return build_network(compose_config(*overrides))


def meta_network(*overrides: str) -> nn.Module:
    with torch.device("meta"):
        return network(*overrides)


def test_every_model_has_a_golden_count() -> None:
    assert set(GOLDEN) == set(MODELS)


@pytest.mark.parametrize("model", MODELS)
def test_parameters_are_the_papers(model: str) -> None:
    count, data = GOLDEN[model]
    assert parameters(meta_network(f"model={model}", *data)) == count


@pytest.mark.parametrize("model", ["vgg11", "vgg13", "vgg16", "vgg19"])
def test_vgg_with_batch_norm_counts_as_torchvisions(model: str) -> None:
    golden = {"vgg11": 132_868_840, "vgg13": 133_053_736, "vgg16": 138_365_992, "vgg19": 143_678_248}
    # torchvision keeps the convolutions' biases, which a norm makes useless
    net = meta_network(f"model={model}", *IMAGENET, "regularizer=[batch_norm]")
    channels = sum(m.out_channels for m in net.modules() if isinstance(m, nn.Conv2d))
    assert parameters(net) + channels == golden[model]


@pytest.mark.parametrize("depth", [20, 32, 44, 56, 110])
def test_projection_shortcuts_cost_2752_parameters(depth: int) -> None:
    a, b = (meta_network(f"model=resnet{depth}", "datamodule=cifar10", f"model.shortcut={s}") for s in "AB")
    assert parameters(b) - parameters(a) == 2_752


@pytest.mark.parametrize("model", MACS)
def test_flops_are_twice_torchvisions_macs(model: str) -> None:
    assert flops(meta_network(f"model={model}", *IMAGENET), 3, 224) == 2 * MACS[model]


@pytest.mark.parametrize("regularizer", ["paper", "none", "all"])
@pytest.mark.parametrize("model", MODELS)
def test_forward_and_backward_reach_every_weight(model: str, regularizer: str) -> None:
    torch.manual_seed(0)
    net = network(f"model={model}", f"regularizer={regularizer}", *SMALL)
    loss, _, logits = Objective(0.1, 0.3)(net(torch.randn(2, 3, 20, 20)), torch.tensor([0, 9]))
    loss.backward()
    assert logits.shape == (2, 10)
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())


@pytest.mark.parametrize(
    "image_size", [28, 96, *(pytest.param(size, marks=pytest.mark.slow) for size in (32, 64, 224))]
)
@pytest.mark.parametrize("model", MODELS)
def test_takes_any_channels_classes_and_size(model: str, image_size: int) -> None:
    shape = [f"datamodule.image_size={image_size}", "datamodule.num_classes=7", "datamodule.in_channels=2"]
    net = meta_network(f"model={model}", "datamodule=synthetic", *shape)
    assert forward_on_meta(net, 2, image_size).shape == (1, 7)


@pytest.mark.parametrize("model", [m for m in MODELS if m != "lenet5"])
@pytest.mark.parametrize(("size", "stem"), [(64, "small"), (65, "imagenet")])
def test_small_images_get_the_small_form(model: str, size: int, stem: str) -> None:
    net = meta_network(f"model={model}", "datamodule=synthetic", f"datamodule.image_size={size}")
    assert net.stem == stem


@pytest.mark.parametrize(("model", "more"), [("alexnet", ["model.stem=imagenet"]), ("lenet5", [])])
def test_too_small_an_image_is_named(model: str, more: list[str]) -> None:
    with pytest.raises(UserError, match="image_size=12 is too small"):
        network(f"model={model}", "datamodule=synthetic", "datamodule.image_size=12", *more)


@pytest.mark.parametrize(
    ("override", "allowed"),
    [("model.stem=tiny", "small"), ("model.shortcut=C", "A, B"), ("model.block=basik", "basic")],
)
def test_unknown_parts_are_refused_by_name(override: str, allowed: str) -> None:
    with pytest.raises(UserError, match=rf"{override} is not allowed: .*{allowed}"):
        network("model=resnet20", override)


def stage_shapes(net: nn.Module, channels: int, size: int) -> list[tuple[int, ...]]:
    shapes: list[tuple[int, ...]] = []

    def note(_: nn.Module, __: Any, output: Tensor) -> None:
        shapes.append(tuple(output.shape[1:]))

    for stage in net.features.children():  # type: ignore[union-attr]
        stage.register_forward_hook(note)
    forward_on_meta(net, channels, size)
    return shapes


def test_lenet5_walks_as_its_figure() -> None:
    net = meta_network("model=lenet5", "datamodule=digits")
    assert stage_shapes(net, 1, 32) == [(6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5)]


def test_resnet20_halves_twice() -> None:
    shapes = stage_shapes(meta_network("model=resnet20", "datamodule=cifar10"), 3, 32)
    assert [shapes[0], shapes[3], shapes[6], shapes[9]] == [(16, 32, 32), (16, 32, 32), (32, 16, 16), (64, 8, 8)]


@pytest.mark.parametrize("model", MODELS)
def test_loss_starts_near_ln_k(model: str) -> None:
    torch.manual_seed(0)
    net = network(f"model={model}", *SMALL)
    loss = Objective(0.0, 0.3)(net(torch.randn(4, 3, 20, 20)), torch.tensor([0, 1, 2, 3]))[0]
    assert abs(loss.item() - 2.303) < 0.5
