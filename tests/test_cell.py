"""A cell's identity: what matters is in it, what does not matter is not."""

import pytest
from omegaconf import OmegaConf

from cnnlab.cell import WITHOUT_EFFECT, cell_name, identity, regularizer_label
from conftest import compose_config


@pytest.mark.parametrize(
    "override",
    ["study=x", "runs_dir=/else", "data_dir=/else", "logger=wandb", "callbacks=quiet", "datamodule.num_workers=2"],
)
def test_what_has_no_effect_keeps_the_identity(override: str) -> None:
    assert identity(compose_config(override)) == identity(compose_config())


@pytest.mark.parametrize(
    "override",
    [
        "seed=1",
        "optim.lr=0.002",
        "regularizer.dropout=0.1",
        "trainer.max_epochs=3",
        "trainer.precision=bf16-mixed",
        "datamodule.split_seed=1",
        "augment=affine",
        "callbacks=[default,ema]",
        "scheduler.warmup_epochs=1",
        "model.activation=tanh",
    ],
)
def test_what_has_an_effect_changes_it(override: str) -> None:
    assert identity(compose_config(override)) != identity(compose_config())


def test_two_ways_to_say_the_same_share_it() -> None:
    assert identity(compose_config("regularizer=[none,dropout]")) == identity(compose_config("regularizer.dropout=0.5"))


def test_every_key_without_effect_exists_somewhere() -> None:
    there = OmegaConf.create({**compose_config("datamodule=fashion_mnist")})
    there.datamodule.data_dir = ""  # image_folder's
    assert all(OmegaConf.select(there, key) is not None or key == "trainer.profiler" for key in WITHOUT_EFFECT)


@pytest.mark.parametrize(
    ("overrides", "label"),
    [
        (["regularizer=none"], "none"),
        (["regularizer=[none,dropout]"], "dropout0.5"),
        (["regularizer=[none,batch_norm,weight_decay]"], "batch-weight_decay0.0005"),
    ],
)
def test_label_names_what_is_on(overrides: list[str], label: str) -> None:
    assert regularizer_label(compose_config(*overrides)["regularizer"]) == label


def test_name_holds_model_data_seed_and_identity() -> None:
    config = compose_config("model=resnet20", "seed=7")
    name = cell_name(OmegaConf.create(config))
    assert name.startswith("resnet20-batch-weight_decay0.0001-adam-digits-s7-")
    assert name.endswith(identity(config))
