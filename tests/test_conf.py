"""Every file of conf/ is something that composes, checks and has a name."""

from pathlib import Path

import pytest

from cnnlab.cell import cell_name
from cnnlab.check import check
from cnnlab.conf import conf_folder
from conftest import compose_config, stems

GROUPS = sorted(path.name for path in conf_folder().iterdir() if path.is_dir() and path.name != "hydra")
CHOICES = [(group, stem) for group in GROUPS for stem in stems(group)]


@pytest.fixture
def needed(tmp_path: Path) -> dict[str, list[str]]:
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
    (tmp_path / "labels.csv").write_text("path,class\n1.png,cat\n2.png,dog\n")
    budgets = {key: ["budget.amount=1e9", "scheduler=constant"] for key in ("flops", "seconds")}
    data = {key: [f"datamodule.data_dir={tmp_path}"] for key in ("image_folder", "class_csv")}
    return {"steps": ["budget.amount=100"], **budgets, **data}


@pytest.mark.parametrize(("group", "choice"), CHOICES)
def test_each_choice_composes_and_is_legal(group: str, choice: str, needed: dict[str, list[str]]) -> None:
    check(compose_config(f"{group}={choice}", *needed.get(choice, [])))


@pytest.mark.parametrize("group", ["model", "datamodule", "budget"])
def test_name_is_what_the_user_types(group: str, needed: dict[str, list[str]]) -> None:
    for stem in stems(group):
        assert compose_config(f"{group}={stem}", *needed.get(stem, []))[group]["name"] == stem


def test_each_regularizer_can_be_taken_away() -> None:
    on = set(stems("regularizer")) - {"paper", "none", "all"}
    assert {stem for stem in on if not stem.startswith("no_")} == {stem[3:] for stem in on if stem.startswith("no_")}


@pytest.mark.parametrize("regularizer", sorted(set(stems("regularizer")) - {"paper", "none", "all"}))
def test_a_regularizer_changes_one_key(regularizer: str) -> None:
    name = regularizer.removeprefix("no_")
    base, changed = (compose_config(f"regularizer=[{r}]")["regularizer"] for r in ("none", f"none,{name}"))
    different = [key for key in base if base[key] != changed[key]]
    assert len(different) == 1
    undone = compose_config(f"regularizer=[none,{name},no_{name}]")["regularizer"]
    assert undone == base


def test_regularizers_compose_from_left_to_right() -> None:
    assert compose_config("regularizer=[all,no_dropout]")["regularizer"]["dropout"] == 0
    assert compose_config("regularizer=[no_dropout,all]")["regularizer"]["dropout"] == 0.5


def test_the_paper_is_the_default_and_lists_add_to_it() -> None:
    paper = compose_config("model=vgg16")["regularizer"]
    assert (paper["dropout"], paper["weight_decay"], paper["norm"]) == (0.5, 5e-4, "none")
    assert compose_config("model=vgg16", "regularizer=[batch_norm]")["regularizer"] == {**paper, "norm": "batch"}


def test_none_turns_everything_off() -> None:
    values = compose_config("model=resnet50", "regularizer=none")["regularizer"]
    assert values.pop("norm") == "none"
    assert set(values.values()) == {0.0}


@pytest.mark.parametrize("key", ["precision", "max_epochs", "gradient_clip_val", "accumulate_grad_batches"])
def test_common_trainer_keys_need_no_plus(key: str) -> None:
    assert key in compose_config()["trainer"]


def test_every_optimizer_has_lr() -> None:
    assert all("lr" in compose_config(f"optim={stem}")["optim"] for stem in stems("optim"))


def test_every_scheduler_can_warm_up() -> None:
    assert all("warmup_epochs" in compose_config(f"scheduler={stem}")["scheduler"] for stem in stems("scheduler"))


def test_cell_name_reads_well() -> None:
    from omegaconf import OmegaConf

    config = OmegaConf.create(compose_config("model=vgg16", "regularizer=[none,dropout]", "seed=3"))
    assert cell_name(config).startswith("vgg16-dropout0.5-adam-digits-s3-")


@pytest.mark.parametrize("experiment", stems("experiment"))
def test_each_recipe_has_a_card(experiment: str) -> None:
    """What accuracy to expect, whether it was run, and the exact command."""
    text = (conf_folder() / "experiment" / f"{experiment}.yaml").read_text()
    card = " ".join(line.removeprefix("#").strip() for line in text.splitlines() if line.startswith("#"))
    assert "Expected" in card
    assert "run here" in card.lower()
    assert f"cnnlab train experiment={experiment}" in card
    assert "@" not in card.removeprefix("@package _global_")
