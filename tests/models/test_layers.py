"""What the blocks do with norm, dropout and activation."""

import pytest
import torch
from torch import nn

from cnnlab.errors import UserError
from cnnlab.models.activations import ACTIVATIONS
from cnnlab.models.layers import Layers, without_effect
from cnnlab.models.normalization import NORMS
from cnnlab.models.stochastic_depth import StochasticDepth

OFF = {"activation": "relu", "norm": "none", "dropout": 0.0, "spatial_dropout": 0.0, "stochastic_depth": 0.0}


def layers(**changes: str | float) -> Layers:
    return Layers(**{**OFF, **changes})  # type: ignore[arg-type]


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
    assert without_effect(net, on) == ["dropout", "stochastic_depth"]
