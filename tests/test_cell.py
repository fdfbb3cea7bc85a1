"""A cell's identity: what matters is in it, what does not matter is not."""

from pathlib import Path

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


def test_one_and_one_point_zero_are_the_same() -> None:
    assert identity(compose_config("optim.lr=1")) == identity(compose_config("optim.lr=1.0"))


def test_one_batch_is_not_all_batches() -> None:
    one, every = (compose_config(f"trainer.limit_train_batches={n}") for n in ("1", "1.0"))
    assert identity(one) != identity(every)


def test_another_folder_of_images_is_another_cell(tmp_path: Path) -> None:
    names = []
    for folder in ("a", "b"):
        for label in ("cat", "dog"):
            (tmp_path / folder / label).mkdir(parents=True)
        names.append(identity(compose_config("datamodule=image_folder", f"datamodule.data_dir={tmp_path / folder}")))
    assert names[0] != names[1]


def test_where_verified_files_lie_does_not_matter() -> None:
    a, b = (compose_config("datamodule=mnist", f"datamodule.data_dir=/{folder}") for folder in "ab")
    assert identity(a) == identity(b)


def test_every_key_without_effect_exists_somewhere() -> None:
    there = OmegaConf.merge(compose_config(), compose_config("datamodule=mnist", "callbacks=[default,pictures]"))
    there = OmegaConf.merge(there, {"datamodule": {"source": {"verify": True}}})  # of the sources of image files
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
