"""Networks of one seed begin with the same weights where shapes agree."""

from collections import defaultdict
from itertools import combinations

import pytest
import torch
from networks import network, shaped
from torch import Tensor, nn

from cnnlab.models.parts.paired_draws import PairedDraws, optional_weights

SHAPE = shaped(3, 32, 10)
NARROW = "model.width=0.25"


def weights_by_shape(net: nn.Module) -> dict[torch.Size, list[Tensor]]:
    """Weights of convolutions and linear layers, in the order in which the network has them."""
    of_shape = defaultdict(list)
    for name, tensor in net.named_parameters():
        if tensor.ndim > 1:
            of_shape[tensor.shape].append(tensor.detach())
        elif "weight" not in name:
            assert len(set(tensor.tolist())) == 1  # biases begin constant
    return of_shape


def assert_same(first: nn.Module, second: nn.Module, all_of: bool = True) -> None:
    """Of each shape that both have, as many weights as both have; all_of: that there are no others."""
    ours, theirs = weights_by_shape(first), weights_by_shape(second)
    shared = ours.keys() & theirs.keys()
    assert shared
    if all_of:
        assert ours.keys() == theirs.keys()
        assert all(len(ours[shape]) == len(theirs[shape]) for shape in shared)
    for shape in shared:
        assert all(torch.equal(a, b) for a, b in zip(ours[shape], theirs[shape], strict=False)), shape


@pytest.mark.parametrize(
    ("model", "change"),
    [
        ("vgg11", ["regularizer.norm=batch"]),
        ("vgg11", ["model.activation=tanh", "model.pool=avg", "regularizer.dropout=0"]),
        ("alexnet", ["model.lrn=true", "regularizer.norm=batch", "regularizer.dropout=0"]),
        ("lenet5", ["model.activation=tanh", "regularizer=all"]),
        pytest.param("googlenet", ["regularizer=all", "model.lrn=false"], marks=pytest.mark.slow),
        ("resnet20", ["model.shortcut=none"]),
        ("resnet20", ["regularizer=none"]),
        ("preact_resnet20", ["regularizer=none", "regularizer.stochastic_depth=0.5"]),
        pytest.param("densenet40_12", ["regularizer=all"], marks=pytest.mark.slow),
        ("mobilenet_v2", ["regularizer=none", "model.activation=elu"]),
    ],
)
def test_a_switch_that_changes_no_shape_changes_no_weight(model: str, change: list[str]) -> None:
    assert_same(network(f"model={model}", NARROW, *SHAPE), network(f"model={model}", NARROW, *change, *SHAPE))


@pytest.mark.parametrize("shortcut", ["B", "C"])
@pytest.mark.parametrize("model", ["resnet18", "resnet50", "preact_resnet50"])
def test_shortcuts_with_weights_leave_those_of_the_branches(model: str, shortcut: str) -> None:
    plain, residual = (
        network(f"model={model}", f"model.shortcut={option}", NARROW, *SHAPE) for option in ("none", shortcut)
    )
    others = residual.state_dict()
    assert len(others) > len(plain.state_dict())
    for name, weight in plain.state_dict().items():
        assert torch.equal(weight, others[name]), name


@pytest.mark.parametrize("model", ["googlenet", "inception_v3"])
def test_auxiliary_heads_leave_the_other_weights(model: str) -> None:
    without, with_heads = (
        network(f"model={model}", f"model.auxiliary={on}", NARROW, *SHAPE).state_dict() for on in ("false", "true")
    )
    assert len(with_heads) > len(without)
    assert all(torch.equal(weight, with_heads[name]) for name, weight in without.items())


@pytest.mark.parametrize(("shallow", "deep"), [("vgg11", "vgg16"), ("resnet20", "resnet32"), ("resnet20", "highway")])
def test_networks_that_share_shapes_share_weights(shallow: str, deep: str) -> None:
    first, second = (network(f"model={model}", *SHAPE) for model in (shallow, deep))
    assert_same(first, second, all_of=False)


@pytest.mark.parametrize("model", ["lenet5", "resnet20"])
@pytest.mark.parametrize(("init", "other"), [("he", "lecun"), ("xavier", "uniform")])
def test_inits_of_one_distribution_differ_in_scale_only(model: str, init: str, other: str) -> None:
    nets = (network(f"model={model}", f"model.init={name}", *SHAPE) for name in (init, other))
    for a, b in zip(*(net.parameters() for net in nets), strict=True):
        if a.ndim > 1:
            assert torch.allclose(a / a.std(), b / b.std(), atol=1e-5)


@pytest.mark.parametrize("init", ["xavier", "orthogonal", "gaussian"])
def test_the_output_layer_does_not_depend_on_the_init(init: str) -> None:
    he, another = (network("model=vgg11", f"model.init={i}", NARROW, *SHAPE) for i in ("he", init))
    assert torch.equal(he.classifier[-1].weight, another.classifier[-1].weight)
    assert not torch.equal(next(he.parameters()), next(another.parameters()))


def test_another_number_of_classes_changes_the_output_layer_only() -> None:
    few, many = (network("model=vgg11", NARROW, *shaped(3, 32, classes)).state_dict() for classes in (7, 10))
    different = [name for name in few if few[name].shape != many[name].shape or not torch.equal(few[name], many[name])]
    assert different == [name for name in few if few[name].shape[0] == 7]


@pytest.mark.parametrize("model", ["vgg11", "resnet20", "densenet40_12", "mobilenet_v2"])
def test_weights_of_one_shape_differ(model: str) -> None:
    for alike in weights_by_shape(network(f"model={model}", NARROW, *SHAPE)).values():
        assert not any(torch.equal(a, b) for a, b in combinations(alike, 2))


def test_another_seed_draws_every_weight_anew() -> None:
    nets = [network("model=resnet20", f"seed={seed}", *SHAPE) for seed in (0, 1)]
    pairs = zip(*(net.parameters() for net in nets), strict=True)
    assert not any(torch.equal(a, b) for a, b in pairs if a.ndim > 1)


def test_the_generator_does_not_matter_and_stays_as_it_is() -> None:
    nets = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        nets.append(network("model=lenet5"))
        assert torch.equal(torch.get_rng_state(), before)
    assert_same(nets[0], nets[1])


class Plain(nn.Module):
    """A network of torch's own layers and inits, as a user may write it."""

    def __init__(self, norm: bool) -> None:
        super().__init__()
        first, second, third = nn.Conv2d(3, 8, 3, bias=not norm), nn.Conv2d(8, 8, 3, bias=not norm), nn.Conv2d(8, 8, 3)
        nn.init.trunc_normal_(first.weight, std=0.1)
        norms = [nn.BatchNorm2d(8), nn.Conv2d(8, 8, 1)] if norm else []
        self.features = nn.Sequential(first, *norms, second, third, nn.Flatten(), nn.Linear(8, 8, bias=False))
        self.scale = nn.Parameter(torch.randn(5, 5) + torch.rand(2, 5, 5)[0])


def test_networks_of_torchs_own_layers_pair() -> None:
    nets = []
    for norm in (False, True):
        with PairedDraws(0):
            nets.append(Plain(norm))
    plain, changed = ({p.shape: p for p in net.parameters() if p.ndim in (2, 4)} for net in nets)
    assert set(changed) - set(plain) == {(8, 8, 1, 1)}
    assert all(torch.equal(weight, changed[shape]) for shape, weight in plain.items())


def test_a_weight_that_is_drawn_twice_counts_once() -> None:
    with PairedDraws(0):
        again = [nn.Linear(4, 4), nn.Linear(4, 4)]
        nn.init.orthogonal_(again[0].weight)
        third = nn.Linear(4, 4)
    with PairedDraws(0):
        assert torch.equal([nn.Linear(4, 4) for _ in range(3)][2].weight, third.weight)
    with PairedDraws(0):
        weight = nn.Linear(4, 4).weight
        before = weight.detach().clone()
        nn.init.kaiming_uniform_(weight, a=5**0.5)
        assert not torch.equal(weight, before)


def test_optional_weights_are_not_those_of_the_same_shape() -> None:
    with PairedDraws(0):
        with optional_weights():
            apart = nn.Linear(4, 4)
        first = nn.Linear(4, 4)
    with PairedDraws(0):
        assert torch.equal(nn.Linear(4, 4).weight, first.weight)
    assert not torch.equal(apart.weight, first.weight)


def test_draws_are_still_of_their_distribution() -> None:
    with PairedDraws(0):
        many = torch.cat([nn.Parameter(torch.empty(16)).data.normal_() for _ in range(5000)])
    assert abs(many.mean()) < 0.01
    assert abs(many.std() - 1) < 0.01
    assert len(set(many.tolist())) > 0.99 * many.numel()
