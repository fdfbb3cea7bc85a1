"""What the blocks do with norm, dropout and activation."""

import pytest
import torch
from networks import layers
from torch import nn

from cnnlab.errors import UserError
from cnnlab.models.effect import without_effect
from cnnlab.models.parts.activations import ACTIVATIONS
from cnnlab.models.parts.normalization import NORMS, local_response
from cnnlab.models.parts.stochastic_depth import StochasticDepth


def kinds(block: nn.Module) -> list[type[nn.Module]]:
    return [type(part) for part in block.children()]


def test_bare_convolution_has_a_bias() -> None:
    block = layers().conv(3, 8, 3)
    assert kinds(block) == [nn.Conv2d, nn.ReLU]
    assert block[0].bias is not None


@pytest.mark.parametrize("norm", [name for name in NORMS if name != "none"])
def test_a_norm_takes_the_bias_away(norm: str) -> None:
    assert layers(norm=norm).conv(3, 8, 3)[0].bias is None


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("channels", [1, 6, 48])
def test_norms_take_any_number_of_channels(norm: str, channels: int) -> None:
    assert layers(norm=norm).conv(3, channels, 1)(torch.randn(2, 3, 4, 4)).shape == (2, channels, 4, 4)


@pytest.mark.parametrize("norm", ["group", "instance", "layer"])
def test_image_norms_make_each_image_zero_mean(norm: str) -> None:
    out = layers(norm=norm).normalization(8)[0](torch.randn(2, 8, 5, 5) + 3)
    assert out.mean(dim=(1, 2, 3)).abs().max() < 1e-5


def test_batch_norm_makes_each_channel_zero_mean() -> None:
    out = layers(norm="batch").normalization(8)[0](torch.randn(4, 8, 5, 5) + 3)
    assert out.mean(dim=(0, 2, 3)).abs().max() < 1e-5


def test_unknown_norm_is_refused() -> None:
    with pytest.raises(UserError, match="norm=bach is not allowed"):
        layers(norm="bach").conv(3, 8, 3)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activation_is_what_was_asked_for(activation: str) -> None:
    assert kinds(layers(activation=activation).conv(1, 1, 1))[-1] is ACTIVATIONS[activation]


def test_dropout_acts_in_training_only() -> None:
    block = layers(dropout=0.5).hidden(10, 200)
    features = torch.randn(1, 10)
    assert torch.equal(block.eval()(features), block(features))
    assert not torch.equal(block.train()(features), block.eval()(features))


def test_no_dropout_leaves_no_module() -> None:
    assert kinds(layers().hidden(4, 4)) == [nn.Linear, nn.ReLU]


def test_spatial_dropout_drops_whole_maps() -> None:
    torch.manual_seed(0)
    maps = layers(spatial_dropout=0.5, activation="sigmoid").conv(1, 64, 1)(torch.randn(1, 1, 4, 4))
    dropped = (maps == 0).flatten(2)
    assert torch.equal(dropped.any(dim=2), dropped.all(dim=2))
    assert 0 < dropped.all(dim=2).sum() < 64


def test_stochastic_depth_drops_whole_images_and_keeps_the_mean() -> None:
    torch.manual_seed(0)
    out = StochasticDepth(0.25).train()(torch.ones(4000, 1, 1, 1)).flatten()
    assert out.unique().tolist() == pytest.approx([0, 1 / 0.75])
    assert out.mean() == pytest.approx(1, abs=0.03)


def test_stochastic_depth_does_nothing_in_evaluation() -> None:
    branch = torch.randn(3, 2, 4, 4)
    assert torch.equal(StochasticDepth(0.5).eval()(branch), branch)


def test_stochastic_depth_grows_with_depth() -> None:
    drop = [layers(stochastic_depth=0.5).drop_branch(depth)[0].p for depth in (0.5, 1.0)]
    assert drop == [0.25, 0.5]


def test_a_regularizer_without_a_place_to_act_is_found() -> None:
    on = {"norm": "batch", "dropout": 0.5, "spatial_dropout": 0.0, "stochastic_depth": 0.5}
    net = layers(norm="batch").conv(1, 1, 1)
    assert without_effect(net, {"pool": "paper"}, on) == ["regularizer.dropout", "regularizer.stochastic_depth"]
    assert "model.pool" in without_effect(net, {"pool": "avg"}, on)


@pytest.mark.parametrize("kernel", [3, 5, 7])
@pytest.mark.parametrize("padding", [None, 0])
def test_a_stack_of_small_kernels_sees_what_a_large_one_sees(kernel: int, padding: int | None) -> None:
    stack = nn.Sequential(*layers(activation="elu").stack(1, 4, 7, kernel, padding=padding))
    image = torch.randn(1, 1, 15, 15, requires_grad=True)
    out = stack(image)
    middle = out.shape[-1] // 2
    out[0, :, middle, middle].sum().backward()
    assert image.grad is not None
    seen = image.grad[0, 0].nonzero()
    assert (seen.max(dim=0).values - seen.min(dim=0).values + 1).tolist() == [7, 7]
    assert out.shape[-1] == (15 if padding is None else 9)
    assert len(stack) == 6 // (kernel - 1) or kernel == 5


@pytest.mark.parametrize(
    ("init", "std"),
    [
        ("he", (2 / 576) ** 0.5),
        ("xavier", (2 / (576 + 288)) ** 0.5),
        ("lecun", (1 / 576) ** 0.5),
        ("uniform", 2.4 / 576 / 3**0.5),
        ("gaussian", 0.01),
        ("orthogonal", (2 / 576) ** 0.5),
    ],
)
def test_weights_begin_with_the_deviation_of_their_init(init: str, std: float) -> None:
    torch.manual_seed(0)
    convolution = layers(init=init).conv(64, 32, 3)[0]
    assert isinstance(convolution, nn.Conv2d)
    assert convolution.weight.std().item() == pytest.approx(std, rel=0.05)
    assert convolution.bias is not None
    assert not convolution.bias.any()


def test_orthogonal_rows_are_orthogonal() -> None:
    rows = next(layers(init="orthogonal").hidden(64, 32).parameters())
    assert torch.allclose(rows @ rows.T, 2 * torch.eye(32), atol=1e-4)


def test_unknown_init_and_pool_are_refused() -> None:
    with pytest.raises(UserError, match=r"model.init=hee is not allowed: .* Did you mean he"):
        layers(init="hee").conv(1, 1, 1)
    with pytest.raises(UserError, match=r"model.pool=median is not allowed: max, avg"):
        layers(pool="median").pooling("max", 2)


@pytest.mark.parametrize(("pool", "kind"), [("paper", nn.MaxPool2d), ("max", nn.MaxPool2d), ("avg", nn.AvgPool2d)])
def test_pooling_is_the_papers_unless_said_otherwise(pool: str, kind: type[nn.Module]) -> None:
    assert isinstance(layers(pool=pool).pooling("max", 2), kind)


@pytest.mark.parametrize(("width", "multiple", "channels"), [(1.0, 1, 24), (0.5, 1, 12), (0.3, 8, 8), (0.001, 4, 4)])
def test_width_multiplies_and_rounds(width: float, multiple: int, channels: int) -> None:
    assert layers(width=width).channels(24, multiple) == channels


def test_a_places_own_dropout_acts_only_where_dropout_is_on() -> None:
    assert layers().drop(0.7) == []
    assert layers(dropout=0.4).drop(0.7)[0].p == 0.7
    assert layers(dropout=0.4).drop()[0].p == 0.4


def test_local_response_is_the_papers_formula() -> None:
    maps = torch.rand(1, 9, 1, 1) * 30
    neighbours = sum(maps[0, j, 0, 0] ** 2 for j in range(2, 7))
    expected = maps[0, 4, 0, 0] / (2 + 1e-4 * neighbours) ** 0.75
    assert local_response()(maps)[0, 4, 0, 0].item() == pytest.approx(expected.item(), rel=1e-5)


def test_preactivation_comes_before_the_convolution() -> None:
    kinds_in_order = kinds(layers(norm="batch").preactivated(3, 8, 3))
    assert kinds_in_order == [nn.BatchNorm2d, nn.ReLU, nn.Conv2d]
