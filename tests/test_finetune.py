"""Frozen is frozen, the backbone is slower, and stages join one after another."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from cnnlab.build import build_network
from cnnlab.callbacks.unfreezing import GradualUnfreezing
from cnnlab.errors import UserError
from cnnlab.finetune import freeze, keep_frozen_norms
from cnnlab.models.stages import heads, stages
from cnnlab.optim import build_optimizer
from cnnlab.train import fit
from conftest import compose_config


def network(*overrides: str) -> nn.Module:
    return build_network(compose_config("model=resnet20", "datamodule=synthetic", *overrides))


def trained(net: nn.Module) -> list[str]:
    return [name for name, parameter in net.named_parameters() if parameter.requires_grad]


def test_a_frozen_backbone_leaves_the_output_layer() -> None:
    net = network()
    freeze(net, "backbone")
    assert trained(net) == ["classifier.2.weight", "classifier.2.bias"]


def test_a_prefix_freezes_what_lies_below_it() -> None:
    net = network()
    freeze(net, "features.1")
    frozen = set(dict(net.named_parameters())) - set(trained(net))
    assert frozen
    assert all(name.startswith("features.1.") for name in frozen)  # and not features.10


def test_none_freezes_nothing() -> None:
    net = network()
    freeze(net, "none")
    assert len(trained(net)) == len(list(net.parameters()))


def test_an_unknown_prefix_is_refused_with_the_nearest() -> None:
    with pytest.raises(UserError, match=r"model.freeze=feature.1 is not allowed: .* Did you mean features"):
        freeze(network(), "feature.1")


def test_something_must_be_left_to_train() -> None:
    net = nn.Sequential(nn.Linear(1, 1))
    with pytest.raises(UserError, match="leaves nothing to train"):
        freeze(net, "0")


def test_norms_of_frozen_layers_keep_their_statistics() -> None:
    net = network()
    freeze(net, "features.0")
    net.train()
    keep_frozen_norms(net)
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    assert [m.training for m in norms[:2]] == [False, True]


def test_every_output_layer_is_a_head() -> None:
    net = build_network(compose_config("model=googlenet", "model.width=0.1", "datamodule=synthetic"))
    assert len(heads(net)) == 3


def test_backbone_has_a_rate_of_its_own() -> None:
    net = network()
    optimizer = build_optimizer(
        net, lambda groups: torch.optim.SGD(groups, lr=0.1), 1e-4, 0.0, 0.0, backbone_lr_factor=0.1
    )
    rates = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    decays = {id(p): group["weight_decay"] for group in optimizer.param_groups for p in group["params"]}
    for name, parameter in net.named_parameters():
        assert rates[id(parameter)] == pytest.approx(0.1 if name.startswith("classifier") else 0.01)
        assert decays[id(parameter)] == (1e-4 if parameter.ndim > 1 else 0)


def test_frozen_weights_are_not_the_optimizers_affair() -> None:
    net = network()
    freeze(net, "backbone")
    optimizer = build_optimizer(net, lambda groups: torch.optim.SGD(groups, lr=0.1), 1e-4, 0.0, 3.0, 1.0)
    assert sum(len(group["params"]) for group in optimizer.param_groups) == 2


def test_a_run_with_a_frozen_backbone_moves_nothing_but_the_output_layer(tmp_path: Path) -> None:
    """Neither weights nor the norms' running statistics, through a whole fit with validation in between."""
    config = compose_config(
        "model=resnet20", "model.freeze=backbone", "model.width=0.25", "trainer.max_epochs=2", "callbacks=quiet"
    )
    config["trainer"]["limit_train_batches"] = 3
    fit(config, str(tmp_path))
    after = torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    before = build_network(config).state_dict()
    moved = [name for name, tensor in before.items() if not torch.equal(tensor, after[f"net.{name}"])]
    assert moved == ["classifier.2.weight", "classifier.2.bias"]


def test_a_network_without_an_output_layer_of_ours_has_no_backbone() -> None:
    with pytest.raises(UserError, match=r"model.backbone_lr_factor=0.1: this network has no output layer"):
        build_optimizer(nn.Linear(1, 1), lambda groups: torch.optim.SGD(groups, lr=0.1), 0.0, 0.0, 0.0, 0.1)


@pytest.mark.parametrize("stages_per_epoch", [0, -1, 0.5, "x"])
def test_unfreezing_nothing_is_refused(stages_per_epoch: Any) -> None:
    with pytest.raises(UserError, match=f"stages_per_epoch={stages_per_epoch}: it must be a whole number"):
        GradualUnfreezing(stages_per_epoch)


class Moved(GradualUnfreezing):
    """Notes after each epoch which stages have moved since the last."""

    def __init__(self) -> None:
        super().__init__(stages_per_epoch=1)
        self.moved: list[list[bool]] = []

    def on_train_epoch_start(self, trainer, pl_module) -> None:  # type: ignore[no-untyped-def]
        super().on_train_epoch_start(trainer, pl_module)
        self.before = [[p.clone() for p in stage.parameters()] for stage in stages(pl_module.net)]

    def on_train_epoch_end(self, trainer, pl_module) -> None:  # type: ignore[no-untyped-def]
        now = [list(stage.parameters()) for stage in stages(pl_module.net)]
        self.moved.append(
            [
                any(not torch.equal(a, b) for a, b in zip(*pair, strict=True))
                for pair in zip(self.before, now, strict=True)
            ]
        )


def test_stages_join_from_the_output_backwards(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    import cnnlab.callbacks.unfreezing as module

    callback = Moved()

    class Watched(Moved):
        def __new__(cls, **_: object) -> "Moved":  # type: ignore[misc]
            return callback

    monkeypatch.setattr(module, "GradualUnfreezing", Watched)
    config = compose_config(
        "callbacks=[quiet,gradual_unfreezing]",
        "trainer.max_epochs=3",
        "trainer.limit_train_batches=2",
        "regularizer.max_norm=0.1",
        "optim=adamw",
    )
    fit(config, str(tmp_path))
    with_weights = [i for i, moved in enumerate(callback.moved[-1]) if moved]
    assert [sum(epoch) for epoch in callback.moved] == [1, 2, 3]
    assert with_weights == [5, 6, 7]  # of two convolutions, two poolings, flatten, two hidden layers and the output


@pytest.mark.parametrize("optim", ["momentum", "nesterov"])
def test_stages_join_without_momentum(optim: str, tmp_path: Path) -> None:
    words = ["callbacks=[quiet,gradual_unfreezing]", "trainer.max_epochs=3", "trainer.limit_train_batches=2"]
    config = compose_config(*words, f"optim={optim}")
    fit(config, str(tmp_path))
    (optimizer,) = torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=True)["optimizer_states"]
    with_momentum = [one["momentum_buffer"] is not None for one in optimizer["state"].values()]
    assert sum(with_momentum) == 6  # weight and bias of the last three stages
