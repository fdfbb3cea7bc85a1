"""The optimizer and the regularizers that act on weights."""

import pytest
import torch
from torch import nn
from torch.optim import SGD, Optimizer

from cnnlab.errors import UserError
from cnnlab.optim import MakeOptimizer, add_l1, build_optimizer
from cnnlab.targets import make
from conftest import compose_config, stems

OFF: dict[str, float] = {"backbone_lr_factor": 1.0, "weight_decay": 0.0, "l1": 0.0, "max_norm": 0.0}


def net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))


def weight(network: nn.Module, position: int) -> torch.Tensor:
    return network.get_parameter(f"{position}.weight")


def bias_of(network: nn.Module) -> torch.Tensor:
    return network.get_parameter("3.bias")


def sgd(lr: float = 0.1) -> MakeOptimizer:
    return lambda groups: SGD(groups, lr)


def step(optimizer: Optimizer) -> None:
    """One step with all gradients zero: what is left is what the regularizer does."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.zeros_like(parameter)
    add_l1(optimizer)
    optimizer.step()


def test_decay_spares_biases_and_norms() -> None:
    optimizer = build_optimizer(net(), sgd(), **{**OFF, "weight_decay": 0.1})
    decay = {parameter.ndim: group["weight_decay"] for group in optimizer.param_groups for parameter in group["params"]}
    assert decay == {4: 0.1, 2: 0.1, 1: 0.0}


def test_every_parameter_is_optimized_once() -> None:
    network = net()
    optimizer = build_optimizer(network, sgd(), **{**OFF, "weight_decay": 0.0})
    optimized = [id(parameter) for group in optimizer.param_groups for parameter in group["params"]]
    assert sorted(optimized) == sorted(id(parameter) for parameter in network.parameters())


def test_weight_decay_shrinks_by_lr_times_decay() -> None:
    network = net()
    before = weight(network, 0).detach().clone()
    step(build_optimizer(network, sgd(), **{**OFF, "weight_decay": 0.5}))
    assert torch.allclose(weight(network, 0), before * (1 - 0.1 * 0.5))


def test_l1_moves_weights_towards_zero_by_lr_times_strength() -> None:
    network = net()
    before, bias = weight(network, 3).detach().clone(), bias_of(network).detach().clone()
    step(build_optimizer(network, sgd(), **{**OFF, "weight_decay": 0.0, "l1": 0.01}))
    assert torch.allclose(weight(network, 3), before - 0.1 * 0.01 * before.sign())
    assert torch.equal(bias_of(network), bias)


def test_max_norm_bounds_each_unit() -> None:
    network = net()
    step(build_optimizer(network, sgd(), **{**OFF, "weight_decay": 0.0, "max_norm": 0.3}))
    for units in (weight(network, 0), weight(network, 3)):
        assert units.flatten(1).norm(dim=1).max() <= 0.3 + 1e-6


def test_max_norm_leaves_small_units_alone() -> None:
    network = net()
    before = weight(network, 3).detach().clone()
    step(build_optimizer(network, sgd(), **{**OFF, "weight_decay": 0.0, "max_norm": 100}))
    assert torch.equal(weight(network, 3), before)


@pytest.mark.parametrize("optim", stems("optim"))
def test_every_optimizer_lowers_a_loss(optim: str) -> None:
    network = net()
    optimizer = build_optimizer(
        network, make("optim", compose_config(f"optim={optim}")["optim"]), **{**OFF, "weight_decay": 1e-4}
    )
    images, labels = torch.randn(32, 1, 3, 3), torch.randint(2, (32,))
    losses = []
    for _ in range(30):
        loss = nn.functional.cross_entropy(network(images), labels)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("optim", ["sgd", "momentum", "nesterov", "adam", "adamw", "adagrad"])
def test_fused_where_torch_has_it(optim: str) -> None:
    assert compose_config(f"optim={optim}")["optim"]["fused"]


def test_a_refused_hyperparameter_is_the_users_error() -> None:
    with pytest.raises(UserError, match=r"optim: .*momentum"):
        build_optimizer(net(), lambda groups: SGD(groups, 0.1, nesterov=True), **{**OFF, "weight_decay": 0.0})


def test_an_unknown_hyperparameter_is_named() -> None:
    with pytest.raises(UserError, match="unexpected keyword argument 'foo'"):
        make("optim", {**compose_config()["optim"], "foo": 1})
