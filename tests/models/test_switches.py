"""A switch means the same in every family that has it."""

from collections.abc import Callable

import pytest
import torch
from networks import families, layers, light_first, meta_network, network, shaped
from torch import nn

from cnnlab.cost import flops, parameters
from cnnlab.errors import UserError
from cnnlab.models.parts.activations import ACTIVATIONS
from cnnlab.models.parts.initialization import INITIALIZATIONS
from cnnlab.models.parts.squeeze_excitation import SqueezeExcitation
from cnnlab.models.vgg import with_kernels_of
from conftest import compose_config

FAMILIES = light_first(families())
SHAPE = shaped(3, 32, 10)


def having(key: str) -> list[str]:
    return light_first([name for name in families() if key in compose_config(f"model={name}")["model"]])


def kinds(net: nn.Module) -> set[type[nn.Module]]:
    return {type(module) for module in net.modules()}


@pytest.mark.parametrize("model", FAMILIES)
def test_activation_is_exchanged_everywhere(model: str) -> None:
    net = meta_network(f"model={model}", "model.activation=elu", *SHAPE)
    others = set(ACTIVATIONS.values()) - {nn.ELU, nn.Sigmoid}  # gates are sigmoid, whatever the activation
    if model in ("squeezenet1_1", "nin"):
        others -= {nn.ReLU}  # part of its output
    assert nn.ELU in kinds(net)
    assert not kinds(net) & others


@pytest.mark.parametrize(("pool", "other"), [("avg", nn.MaxPool2d), ("max", nn.AvgPool2d)])
@pytest.mark.parametrize("model", FAMILIES)
def test_pooling_is_exchanged_everywhere(model: str, pool: str, other: type[nn.Module]) -> None:
    heads = (
        ["model.auxiliary=false"] if "auxiliary" in compose_config(f"model={model}")["model"] else []
    )  # they begin with an average
    assert other not in kinds(meta_network(f"model={model}", f"model.pool={pool}", *heads, *SHAPE))


@pytest.mark.parametrize("model", FAMILIES)
def test_half_the_width_has_about_a_quarter_of_the_weights(model: str) -> None:
    whole, half = (parameters(meta_network(f"model={model}", f"model.width={w}", *SHAPE)) for w in (1.0, 0.5))
    assert 0.2 < half / whole < 0.4


@pytest.mark.parametrize(
    "init", [name if name == "xavier" else pytest.param(name, marks=pytest.mark.slow) for name in INITIALIZATIONS]
)
@pytest.mark.parametrize("model", FAMILIES)
def test_init_reaches_all_but_the_output_layer(model: str, init: str) -> None:
    """The largest hidden weight has the deviation that a layer of its shape has by itself."""
    torch.manual_seed(0)
    net = network(f"model={model}", f"model.init={init}", "model.width=0.25", *SHAPE)
    candidates = [m for m in net.modules() if type(m) in (nn.Conv2d, nn.Linear)]
    weight = max((m.weight for m in candidates), key=torch.Tensor.numel)
    alone = torch.empty_like(weight)
    INITIALIZATIONS[init](alone, 0.05 if model == "nin" else 0.01)
    assert weight.std().item() == pytest.approx(alone.std().item(), rel=0.1)


@pytest.mark.parametrize("model", FAMILIES)
def test_paper_init_is_what_the_models_file_says(model: str) -> None:
    paper = compose_config(f"model={model}")["model"]["paper_init"]
    nets: list[nn.Module] = []
    for init in ("paper", paper):
        nets.append(network(f"model={model}", f"model.init={init}", "model.width=0.25", *SHAPE))
    pairs = zip(*(net.parameters() for net in nets), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs if a.ndim > 1)


def test_alexnets_hidden_units_begin_alive_in_the_paper_only() -> None:
    """Krizhevsky et al., 2012, section 5: biases of 1; with He's larger weights they would make it diverge."""
    for init, bias in (("paper", 1.0), ("he", 0.0)):
        net = network("model=alexnet", f"model.init={init}", "model.width=0.1", *SHAPE)
        assert net.classifier[1][0].bias.unique().tolist() == [bias]


@pytest.mark.parametrize("model", having("lrn"))
def test_local_response_normalization_can_be_switched(model: str) -> None:
    on, off = (kinds(meta_network(f"model={model}", f"model.lrn={lrn}", *SHAPE)) for lrn in ("true", "false"))
    assert nn.LocalResponseNorm in on
    assert nn.LocalResponseNorm not in off


def test_alexnets_form_decides_on_local_response_normalization() -> None:
    for form, lrn in (("paper", True), ("single", True), ("torchvision", False)):
        assert compose_config("model=alexnet", f"model.form={form}")["model"]["lrn"] is lrn


def test_a_form_that_does_not_exist_is_named(command: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert command("train", "model=alexnet", "model.form=papers") == 1
    told = capsys.readouterr().err
    assert "model.form=papers is not allowed: torchvision, paper, single. Did you mean paper?" in told


@pytest.mark.parametrize("model", having("shortcut"))
def test_shortcuts_from_none_to_projections_everywhere(model: str) -> None:
    counts = [
        parameters(meta_network(f"model={model}", f"model.shortcut={option}", *SHAPE))
        for option in ("none", "A", "B", "C")
    ]
    assert counts[0] == counts[1] < counts[2] < counts[3]


@pytest.mark.parametrize("model", having("bottleneck"))
def test_bottlenecks_save_operations(model: str) -> None:
    # in DenseNet they pay off once there are more maps than four times the growth
    more = ["model.blocks=[12,12,12]"] if model == "densenet40_12" else []
    without, with_them = (
        flops(meta_network(f"model={model}", f"model.bottleneck={b}", *more, *SHAPE), 3, 32) for b in ("false", "true")
    )
    assert with_them < without


@pytest.mark.parametrize("model", having("bottleneck"))
def test_bottlenecks_do_not_change_the_outputs_width(model: str) -> None:
    with_them, without = (meta_network(f"model={model}", f"model.bottleneck={b}", *SHAPE) for b in ("true", "false"))
    assert with_them.classifier[-1].in_features == without.classifier[-1].in_features


@pytest.mark.parametrize(
    ("size", "kernels", "replaced"),
    [(5, (3, 3), [5]), (5, (3, 3, 3), [5, 3]), (5, (3,), [3]), (7, (3, 3, 3), [7]), (7, (3, 3, 3, 3), [7, 3])],
)
def test_vggs_stacks_as_larger_filters(size: int, kernels: tuple[int, ...], replaced: list[int]) -> None:
    assert with_kernels_of(size, kernels) == replaced


def test_one_5x5_has_more_weights_than_two_3x3() -> None:
    """Simonyan and Zisserman, 2015, section 4.1: configuration B against five 5x5 in its place."""
    small, large = (meta_network("model=vgg13", f"model.kernel={k}", *SHAPE) for k in (3, 5))
    sizes = [m.kernel_size for m in large.modules() if isinstance(m, nn.Conv2d)]
    assert sizes == [(5, 5)] * 5
    assert parameters(large) > parameters(small)


def squares(net: nn.Module, size: int) -> int:
    """Number of convolutions with square kernels of that size."""
    return sum(getattr(module, "kernel_size", 0) == (size, size) for module in net.modules())


@pytest.mark.parametrize("model", ["lenet5", "googlenet", "inception_v3"])
def test_two_3x3_take_the_place_of_one_5x5(model: str) -> None:
    large, small = (meta_network(f"model={model}", f"model.kernel={kernel}", *SHAPE) for kernel in (5, 3))
    replaced = squares(large, 5) - squares(small, 5)
    assert replaced > 0
    assert squares(small, 3) - squares(large, 3) == 2 * replaced


def test_three_3x3_take_the_place_of_inception_v2s_7x7() -> None:
    large, small = (meta_network("model=inception_v2", f"model.kernel={kernel}", *SHAPE) for kernel in (7, 3))
    assert (squares(large, 7), squares(small, 7)) == (1, 0)
    assert squares(small, 3) - squares(large, 3) == 3


def test_inception_v2s_auxiliary_head_gets_a_norm_more() -> None:
    """BN-auxiliary (Szegedy et al., 2016, section 4)."""
    without, with_it = (
        sum(isinstance(module, nn.BatchNorm2d) for module in meta_network(*net, *SHAPE).modules())
        for net in (["model=inception_v2"], ["model=inception_v2", "model.auxiliary_norm=true"])
    )
    assert with_it == without + 1


def test_lenet5_of_1998_names_what_it_does_not_take() -> None:
    with pytest.raises(UserError, match="ten classes, grey images of 28 or 32 pixels"):
        network("model=lenet5", "model.form=paper", *shaped(1, 32, 7))


def test_codes_of_1998_are_seven_by_twelve_pixels_that_differ() -> None:
    codes = network("model=lenet5", "model.form=paper", *shaped(1, 28, 10)).classifier[-1].codes
    assert codes.shape == (10, 84)
    assert set(codes.flatten().tolist()) == {1.0, -1.0}
    assert len({tuple(code.tolist()) for code in codes}) == 10


def test_a_squeeze_and_excitation_gate_is_between_0_and_1() -> None:
    maps = torch.randn(2, 8, 4, 4)
    gates = SqueezeExcitation(layers(), 8, 4)(maps) / maps
    assert gates.flatten(2).std(dim=2).max() < 1e-5
    assert gates.min() > 0
    assert gates.max() < 1


@pytest.mark.parametrize(
    "override", ["model.lrn=off", "model.auxiliary=no", "model.bottleneck=maybe", "model.kernel=5.0"]
)
def test_a_switch_takes_its_own_kind_of_value_only(
    override: str, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("train", "model=googlenet", override) == 1
    assert f"cnnlab: {override}: it must be a" in capsys.readouterr().err


def test_a_switch_that_a_network_lacks_is_named_with_those_it_has(
    command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("train", "model=resnet20", "model.kernel=3") == 1
    told = capsys.readouterr().err
    assert "resnet20 has no model.kernel. It has: activation," in told
    assert "shortcut" in told
    assert "+model" not in told


@pytest.mark.parametrize(
    "overrides", [["model=vgg13", "model.kernel=7"], ["model=googlenet_torchvision", "model.kernel=5"]]
)
def test_a_switch_that_would_change_nothing_is_refused(overrides: list[str]) -> None:
    with pytest.raises(UserError, match=r"model.kernel=\d is not allowed"):
        meta_network(*overrides, *SHAPE)


@pytest.mark.parametrize("key", ["cardinality", "inner_width"])
def test_bottlenecks_keys_are_refused_without_bottlenecks(key: str) -> None:
    with pytest.raises(UserError, match=f"model.{key}"):
        meta_network("model=resnet18", f"model.{key}=2", *SHAPE)


@pytest.mark.parametrize(("width", "parameters_in_millions"), [(0.5, 1.97), (0.75, 2.64), (1.4, 6.11)])
def test_mobilenet_v2_narrows_as_published(width: float, parameters_in_millions: float) -> None:
    net = meta_network("model=mobilenet_v2", f"model.width={width}", *shaped(3, 224, 1000))
    assert round(parameters(net) / 1e6, 2) == parameters_in_millions


def test_depthwise_convolutions_keep_the_signal_with_every_init() -> None:
    """Each map is a layer of its own: its fan-in is nine pixels, not nine times the maps."""
    for init in ("xavier", "orthogonal", "lecun"):
        convolution = layers(init=init).conv(64, 64, 3, padding=1, groups=64)[0]
        assert isinstance(convolution, nn.Conv2d)
        assert 0.2 < convolution.weight.std() < 0.6


def test_resnet_v2_begins_with_a_stem_that_norms_and_activates() -> None:
    net = network("model=preact_resnet20", *SHAPE)
    assert [type(part) for part in net.features[0]] == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU]
    assert not list(net.features[1].preactivate)
    assert len(list(net.features[2].preactivate)) == 2
