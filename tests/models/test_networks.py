"""Every network of conf/model, with every regularization, at every size, in training."""

from functools import partial
from typing import Any

import pytest
import torch
from networks import GIANTS, families, meta_network, network, shaped
from torch import nn

from cnnlab.build import build_data, build_network
from cnnlab.errors import UserError
from cnnlab.losses import Objective
from cnnlab.mixing import Targets
from cnnlab.models.meta import forward_on_meta
from cnnlab.optim import add_l1, build_optimizer
from conftest import compose_config, stems

MODELS = stems("model")
FAMILIES = families()
SMALL = [*shaped(3, 28, 10), "model.width=0.25"]
HAVE_STEMS = [m for m in MODELS if compose_config(f"model={m}")["model"].get("stem") == "auto"]


def test_each_family_has_a_representative() -> None:
    assert {"lenet5", "nin", "resnet20", "densenet40_12"} <= set(FAMILIES)
    assert not set(FAMILIES) & GIANTS


def others_slow(models: list[str]) -> list[object]:
    """All models, of which one a family belongs to the fast tests."""
    return [m if m in FAMILIES else pytest.param(m, marks=pytest.mark.slow) for m in models]


@pytest.mark.parametrize("regularizer", [pytest.param("paper", marks=pytest.mark.slow), "none", "all"])
@pytest.mark.parametrize("model", others_slow(sorted(set(MODELS) - GIANTS)))
def test_gradients_reach_every_weight(model: str, regularizer: str) -> None:
    torch.manual_seed(0)
    net = network(f"model={model}", f"regularizer={regularizer}", *SMALL)
    loss, _, logits = Objective(0.1, 0.3)(net(torch.randn(2, 3, 28, 28)), Targets(torch.tensor([0, 9])))
    loss.backward()
    assert logits.shape == (2, 10)
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())


@pytest.mark.parametrize("image_size", [28, 96, *(pytest.param(s, marks=pytest.mark.slow) for s in (32, 64, 224))])
@pytest.mark.parametrize("model", others_slow(MODELS))
def test_takes_any_channels_classes_and_size(model: str, image_size: int) -> None:
    net = meta_network(f"model={model}", *shaped(2, image_size, 7))
    assert forward_on_meta(net, 2, image_size).shape == (1, 7)


IN_NETWORK = ("norm", "dropout", "spatial_dropout", "stochastic_depth")  # the other regularizers act outside
STEPS = [(m, size) for m in MODELS for size in (28, 224) if m not in GIANTS or size == 28]
STEPS += [(m, size) for m in FAMILIES for size in (32, 64)]


@pytest.mark.slow
@pytest.mark.parametrize(("model", "image_size"), STEPS)
def test_trains_a_step_with_every_regularizer(model: str, image_size: int) -> None:
    """Narrow networks, so that all of them are tried; of each family one also at 32 and 64 pixels."""
    nets: dict[tuple[object, ...], nn.Module] = {}
    for choice in stems("regularizer"):
        config = compose_config(
            f"model={model}", f"regularizer={choice}", "model.width=0.1", *shaped(3, image_size, 10)
        )
        regularizer = config["regularizer"]
        structure = tuple(regularizer[key] for key in IN_NETWORK)
        if structure not in nets:
            torch.manual_seed(0)
            nets[structure] = build_network(config)
        train_a_step(nets[structure], regularizer, image_size)


def train_a_step(net: nn.Module, regularizer: dict[str, Any], image_size: int) -> None:
    """One optimizer step as a run takes it; at least one weight must have moved, and all must be finite."""
    on_weights = {key: regularizer[key] for key in ("weight_decay", "l1", "max_norm")}
    make = partial(torch.optim.SGD, lr=1e-4)
    optimizer = build_optimizer(net, make, **on_weights, backbone_lr_factor=1.0)
    before = [p.detach().clone() for p in net.parameters()]
    images, labels = torch.randn(2, 3, image_size, image_size), torch.tensor([1, 2])
    loss = Objective(regularizer["label_smoothing"], 0.3)(net.train()(images), Targets(labels))[0]
    optimizer.zero_grad()
    loss.backward()
    add_l1(optimizer)
    optimizer.step()
    assert loss.isfinite()
    assert any(not torch.equal(old, new) for old, new in zip(before, net.parameters(), strict=True))
    assert all(p.isfinite().all() for p in net.parameters())


@pytest.mark.parametrize("model", [m for m in FAMILIES if m in HAVE_STEMS])
@pytest.mark.parametrize(("size", "stem"), [(64, "small"), (65, "imagenet")])
def test_small_images_get_the_small_form(model: str, size: int, stem: str) -> None:
    try:
        net = meta_network(f"model={model}", *shaped(3, size, 10))
    except UserError as error:  # what is made for 299 pixels may not take 65
        assert (stem, str(error).split(" for ")[0]) == ("imagenet", "datamodule.image_size=65 is too small")  # noqa: PT017
    else:
        assert net.stem == stem


@pytest.mark.parametrize("size", [2, 12])
@pytest.mark.parametrize("model", FAMILIES)
def test_an_image_is_taken_or_named_as_too_small(model: str, size: int) -> None:
    large = ["model.stem=imagenet"] if model in HAVE_STEMS else []
    try:
        net = meta_network(f"model={model}", *shaped(3, size, 10), *large)
    except UserError as error:
        assert f"image_size={size} is too small" in str(error)  # noqa: PT017
    else:
        assert forward_on_meta(net, 3, size).shape == (1, 10)


@pytest.mark.parametrize(
    ("model", "size"), [("lenet5", 12), ("alexnet", 24), ("googlenet", 12), ("inception_v3", 64), ("zfnet", 12)]
)
def test_too_small_an_image_is_refused(model: str, size: int) -> None:
    large = [] if model == "lenet5" else ["model.stem=imagenet"]
    with pytest.raises(UserError, match=f"image_size={size} is too small"):
        network(f"model={model}", *shaped(3, size, 10), *large)


@pytest.mark.parametrize(
    ("model", "override", "allowed"),
    [
        ("resnet20", "model.stem=tiny", "small"),
        ("resnet20", "model.shortcut=D", "none, A, B, C"),
        ("resnet20", "model.block=basik", "basic"),
        ("vgg16", "model.configuration=F", "A, B, C, D, E"),
        ("vgg16", "model.kernel=4", "3, 5, 7"),
        ("googlenet", "model.kernel=7", "3, 5"),
        ("nin", "model.variant=mnist", "cifar, imagenet"),
        ("squeezenet", "model.version=2", "1.0, 1.1"),
    ],
)
def test_unknown_parts_are_refused_by_name(model: str, override: str, allowed: str) -> None:
    with pytest.raises(UserError, match=rf"{override} is not allowed: .*{allowed}"):
        network(f"model={model}", override)


@pytest.mark.parametrize("model", FAMILIES)
def test_loss_starts_near_ln_k(model: str) -> None:
    torch.manual_seed(0)
    net = network(f"model={model}", *SMALL)
    labels = torch.arange(10)  # as many of each class: which class the weights prefer does not matter
    loss = Objective(0.0, 0.0)(net(torch.randn(10, 3, 28, 28)), Targets(labels))[0]
    assert abs(loss.item() - 2.303) < 0.7  # some seeds of alexnet are above 0.5


def test_auxiliary_heads_speak_in_training_only() -> None:
    net = network("model=googlenet", *SMALL)
    images = torch.randn(2, 3, 28, 28)
    assert [tuple(head.shape) for head in net.train()(images)] == [(2, 10)] * 3
    assert net.eval()(images).shape == (2, 10)


@pytest.mark.parametrize("model", ["googlenet", "inception_v2", "inception_v3"])
def test_auxiliary_heads_can_be_left_out(model: str) -> None:
    net = network(f"model={model}", "model.auxiliary=false", *SMALL)
    assert isinstance(net.train()(torch.randn(2, 3, 28, 28)), torch.Tensor)
    assert not list(net.auxiliary.parameters())


def test_a_plain_network_is_the_residual_one_without_shortcuts() -> None:
    """He et al., 2016, section 4.2: as many layers with weights, no sum."""
    plain, residual = (network("model=resnet20", f"model.shortcut={s}", *shaped(3, 32, 10)) for s in ("none", "A"))
    assert sum(p.numel() for p in plain.parameters()) == sum(p.numel() for p in residual.parameters())
    block = plain.features[1]
    images = torch.randn(2, 16, 8, 8)
    assert torch.equal(block.eval()(images), nn.functional.relu(block.branch(images)))


def digits(size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """64 handwritten digits, enlarged, and their labels."""
    data = build_data(compose_config("datamodule=digits", "datamodule.batch_size=64"))
    data.setup("fit")
    images, labels, _ = next(iter(data.train_dataloader()))
    return nn.functional.interpolate(data.normalize(images), size=(size, size)), labels


@pytest.mark.slow
@pytest.mark.parametrize("model", sorted(set(MODELS) - GIANTS))
def test_learns_64_real_images_by_heart(model: str) -> None:
    """Without the regularizers that hinder it; narrow, and at the smallest size that it takes, where it costs much."""
    torch.manual_seed(0)
    card = compose_config(f"model={model}")["model"]["card"]
    size = 28 if model == "lenet5" else {224: 64, 299: 96}.get(card["image"][1], 16)
    form = ["model.stem=imagenet"] if size > 28 and model in HAVE_STEMS else []
    width = 1.0 if card["flops"] < 1e9 else 0.25 if card["flops"] < 6e9 else 0.125
    hinder = "regularizer=[no_dropout,no_label_smoothing,no_weight_decay]"
    net = network(f"model={model}", hinder, f"model.width={width}", *shaped(1, size, 10), *form)
    images, labels = digits(size)
    objective, optimizer = Objective(0.0, 0.3), torch.optim.Adam(net.parameters(), 1e-3)
    for step in range(1, 501):
        optimizer.zero_grad()
        objective(net.train()(images), Targets(labels))[0].backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        if step % 10 == 0 and torch.equal(net.eval()(images).argmax(dim=1), labels):
            return
    pytest.fail("not learnt after 500 steps")
