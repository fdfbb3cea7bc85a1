"""Cells are composed quickly, to what Hydra composes."""

from collections.abc import Iterator

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import ConfigCompositionException
from hydra.types import RunMode

from cnnlab.cell import resolved
from cnnlab.conf import conf_folder
from cnnlab.errors import UserError
from cnnlab.sweep.cells import Composer
from cnnlab.sweep.design import Part
from cnnlab.sweep.exclusion import is_excluded


@pytest.fixture
def composer() -> Iterator[Composer]:
    with initialize_config_dir(str(conf_folder()), version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        yield Composer(loader, loader.load_configuration("train", ["study=x"], RunMode.MULTIRUN))


CASES = [
    {},
    {"seed": "3"},
    {"model": "vgg11", "regularizer.dropout": "0.25", "optim": "sgd"},
    {"datamodule.batch_size": "64", "seed": "1"},  # datamodule.eval_batch_size follows
    {"scheduler": "multistep", "trainer.max_epochs": "40"},  # a resolver reads it
    {"trainer.check_val_every_n_epoch": "${trainer.max_epochs}", "trainer.max_epochs": "4"},
    {"optim.lr": "${regularizer.dropout}", "regularizer.dropout": "${seed}", "seed": "2"},
    {"model.form": "paper"},  # others follow
    {"regularizer": "[all,no_dropout]", "regularizer.weight_decay": "0.01"},
    {"datamodule.image_size": "16", "model.width": "0.5"},
    {"datamodule": "synthetic", "datamodule.mean": "[0.1,0.2,0.3]"},
    {"+trainer.fast_dev_run": "true"},
    {"~regularizer.cutmix": "0.0"},
    {"optim": "{lr: 0.3}", "optim.lr": "0.2"} | {"optim": "adam"},
    {"datamodule.num_workers": "2", "runs_dir": "${data_dir}"},
    {"experiment": "resnet20_fashion_mnist", "model.shortcut": "none"},
    {"budget": "steps", "budget.amount": "100", "datamodule.batch_size": "64", "seed": "1"},  # max_epochs follows
    {"budget": "flops", "budget.amount": "1e11", "model.width": "0.5", "regularizer.norm": "batch", "optim.lr": "0.1"},
    {"trainer": "{max_epochs: 7}", "trainer.devices": "2"} | {"trainer": "cpu"},
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: " ".join(case) or "nothing")
def test_it_composes_what_hydra_composes(composer: Composer, case: dict[str, str]) -> None:
    part = Part(case)
    hydras = composer.loader.load_sweep_config(composer.master, ["study=x", *part.overrides])
    assert composer.compose(["study=x"], part).config == resolved(hydras)


def test_what_a_value_mends_is_no_error(composer: Composer) -> None:
    """One step of 32 images would be more than the budget."""
    cells = [composer.compose(["budget=flops"], Part({"budget.amount": "3e7", "datamodule.batch_size": "8"}))]
    cells.append(composer.compose(["budget=flops", "datamodule.batch_size=8"], Part({"budget.amount": "3e7"})))
    assert [cell.config["trainer"]["max_steps"] for cell in cells] == [1, 1]


def test_ten_seeds_are_composed_once(composer: Composer) -> None:
    for seed in range(10):
        assert composer.compose([], Part({"seed": str(seed)})).config["seed"] == seed
    assert len(composer.bases) == 1


def test_cells_share_nothing_that_another_changes(composer: Composer) -> None:
    one, other = (composer.compose([], Part({"optim.lr": lr})).config for lr in ("0.1", "0.2"))
    assert (one["optim"]["lr"], other["optim"]["lr"]) == (0.1, 0.2)


def test_a_key_that_is_not_there_is_refused(composer: Composer) -> None:
    with pytest.raises(ConfigCompositionException):
        composer.compose([], Part({"optim.rl": "0.1"}))


@pytest.mark.parametrize(
    ("expression", "excluded"),
    [
        ("model.name == 'lenet5' and regularizer.dropout == 0", True),
        ("optim.lr > 0.1", False),
        ("model.name in ['vgg11', 'lenet5']", True),
    ],
)
def test_expressions_see_the_configuration(composer: Composer, expression: str, excluded: bool) -> None:
    assert is_excluded(composer.compose([], Part({})), [expression]) is excluded


@pytest.mark.parametrize("expression", ["model.nam == 'x'", "model.name ==", "__import__('os')", "1 / 0", "open('x')"])
def test_an_expression_that_cannot_be_evaluated_is_told(composer: Composer, expression: str) -> None:
    with pytest.raises(UserError, match=r"ablation\.exclude"):
        is_excluded(composer.compose([], Part({})), [expression])
