"""What a report finds to differ between cells."""

from pathlib import Path

import pytest
from folders import StudyFolder

from cnnlab.report.content import Report


@pytest.fixture
def study(tmp_path: Path) -> StudyFolder:
    return StudyFolder(tmp_path / "study")


def levels(report: Report) -> dict[str, list[str]]:
    return {factor["name"]: factor["levels"] for factor in report["factors"]}


def test_the_seed_is_no_factor_but_the_replicate(study: StudyFolder) -> None:
    for seed in range(3):
        study.add(0.9, seed=seed)
    report = study.report()
    assert levels(report) == {}
    assert [one["n"] for one in report["conditions"]] == [3]


def test_a_swept_key_is_a_factor_with_its_values_in_order(study: StudyFolder) -> None:
    for lr in (0.1, 0.001, 0.01):
        study.add(0.9, f"optim.lr={lr}", changes={"optim.lr": lr})
    assert levels(study.report()) == {"optim.lr": ["0.001", "0.01", "0.1"]}


def test_regularizers_are_named_by_what_is_on(study: StudyFolder) -> None:
    study.add(0.9, "regularizer=none")
    study.add(0.9, "regularizer=[none,batch_norm]", changes={"regularizer.norm": "batch"})
    both = {"regularizer.norm": "batch", "regularizer.dropout": 0.5, "regularizer.weight_decay": 5e-4}
    study.add(0.9, "regularizer=all", changes=both)
    assert levels(study.report()) == {"regularizer": ["none", "BatchNorm", "BatchNorm + dropout + weight decay"]}


def test_several_swept_regularizers_are_one_recipe(study: StudyFolder) -> None:
    for norm in ("none", "batch"):
        for dropout in (0, 0.5):
            changes = {"regularizer.norm": norm, "regularizer.dropout": dropout}
            study.add(0.9, f"regularizer.norm={norm}", f"regularizer.dropout={dropout}", changes=changes)
    assert levels(study.report()) == {"regularizer": ["none", "dropout", "BatchNorm", "BatchNorm + dropout"]}


def test_one_swept_regularizer_is_a_key_with_values(study: StudyFolder) -> None:
    for dropout in (0, 0.3, 0.5):
        study.add(0.9, f"regularizer.dropout={dropout}", changes={"regularizer.dropout": dropout})
    assert levels(study.report()) == {"regularizer.dropout": ["0", "0.3", "0.5"]}


def test_an_ingredient_with_several_values_says_them(study: StudyFolder) -> None:
    for value in (0.3, 0.5):
        study.add(0.9, "regularizer=[none,dropout]", changes={"regularizer.dropout": value})
    study.add(0.9, "regularizer=none")
    assert levels(study.report()) == {"regularizer": ["dropout 0.3", "dropout 0.5", "none"]}


def test_a_groups_choice_is_called_what_was_typed(study: StudyFolder) -> None:
    study.add(0.9, "optim=adam")
    study.add(0.9, "optim=nesterov", changes={"optim._target_": "torch.optim.SGD", "optim.nesterov": True})
    assert levels(study.report()) == {"optim": ["adam", "nesterov"]}


def test_what_comes_with_a_network_is_told_beside_it(study: StudyFolder) -> None:
    study.add(0.9, "model=lenet5")
    study.add(0.9, "model=vgg11", changes={"model.name": "vgg11", "optim.lr": 0.01, "model.depth": 11})
    report = study.report()
    assert levels(report) == {"model": ["lenet5", "vgg11"]}
    assert any("differ together with model" in line and "optim.lr" in line for line in report["warnings"])


def test_a_designs_names_stand_for_the_keys_behind_them(study: StudyFolder) -> None:
    full = {"regularizer.norm": "batch", "regularizer.dropout": 0.5}
    study.add(0.9, labels={"leave_out": "full"}, changes=full)
    less = {**full, "regularizer.norm": "none"}
    study.add(0.9, "regularizer.norm=none", labels={"leave_out": "- batch_norm"}, changes=less)
    report = study.report()
    assert levels(report) == {"leave_out": ["full", "- BatchNorm"]}
    assert [(one["level"], one["baseline"]) for one in report["effects"]] == [("- BatchNorm", "full")]


def test_steps_that_build_on_one_another_are_compared_with_the_one_before(study: StudyFolder) -> None:
    for n, name in enumerate(("baseline", "+ rmsprop", "+ dropout")):
        study.add(0.9, f"optim.lr={n}", labels={"add": name}, changes={"optim.lr": n})
    compared = [(one["level"], one["baseline"]) for one in study.report()["effects"]]
    assert compared == [("+ rmsprop", "baseline"), ("+ dropout", "+ rmsprop")]


def test_without_study_json_the_configurations_tell_the_factors(study: StudyFolder) -> None:
    for name in ("lenet5", "vgg11"):
        for norm in ("none", "batch"):
            study.add(0.9, changes={"model.name": name, "regularizer.norm": norm}, recorded=False)
    assert levels(study.report()) == {"model": ["lenet5", "vgg11"], "regularizer": ["none", "BatchNorm"]}


def test_keys_without_effect_are_no_factors(study: StudyFolder) -> None:
    study.add(0.9, seed=0, changes={"runs_dir": "here", "study": "a"})
    study.add(0.9, seed=1, changes={"runs_dir": "there", "study": "b"})
    assert levels(study.report()) == {}


def test_a_file_that_each_seed_has_its_own_of_is_no_factor(study: StudyFolder) -> None:
    for seed in range(2):
        study.add(0.9, seed=seed, labels={"one_at_a_time": "baseline"}, changes={"model.weights": None})
        weights = f"runs/source-{seed}/best.ckpt"
        typed = f"model.weights={weights}"
        study.add(0.9, typed, seed=seed, labels={"one_at_a_time": "tuned"}, changes={"model.weights": weights})
    assert levels(study.report()) == {"one_at_a_time": ["baseline", "tuned"]}


def test_a_number_that_was_drawn_for_each_cell_is_compared_with_no_other(study: StudyFolder) -> None:
    for n in range(12):
        study.add(0.9, f"optim.lr={n / 7}", changes={"optim.lr": n / 7})
    report = study.report()
    assert len(report["conditions"]) == 12
    assert report["effects"] == []


def test_a_cell_that_has_not_begun_has_the_levels_of_its_like(study: StudyFolder) -> None:
    study.add(0.9, "regularizer=none")
    study.add(0.9, "regularizer=[none,dropout]", seed=0, changes={"regularizer.dropout": 0.5})
    study.add(None, "regularizer=[none,dropout]", seed=1, state=None)
    report = study.report()
    assert levels(report) == {"regularizer": ["none", "dropout"]}
    assert report["conditions"][1]["states"] == {"done": 1, "missing": 1}


def test_folds_are_replicates(study: StudyFolder) -> None:
    for fold in range(3):
        study.add(0.9, f"datamodule.fold={fold}", changes={"datamodule.fold": fold})
    report = study.report()
    assert report["conditions"][0]["n"] == 3
    assert any("folds share training images" in line for line in report["warnings"])


def test_a_cell_that_has_not_begun_has_the_level_of_other_networks_with_the_same_words(study: StudyFolder) -> None:
    study.add(0.9, "model=lenet5", "regularizer=none")
    study.add(0.9, "model=lenet5", "regularizer=[none,dropout]", changes={"regularizer.dropout": 0.5})
    study.add(0.9, "model=vgg11", "regularizer=none", changes={"model.name": "vgg11"})
    study.add(None, "model=vgg11", "regularizer=[none,dropout]", state=None)
    assert levels(study.report()) == {"model": ["lenet5", "vgg11"], "regularizer": ["none", "dropout"]}


@pytest.mark.parametrize("typed", ["1e-1", ".1", "0.10"])
def test_a_number_is_the_same_level_however_it_was_typed(study: StudyFolder, typed: str) -> None:
    study.add(0.9, "optim.lr=0.1", changes={"optim.lr": 0.1})
    study.add(0.9, "optim.lr=0.2", changes={"optim.lr": 0.2})
    study.add(None, f"optim.lr={typed}", state=None, seed=1)
    assert levels(study.report()) == {"optim.lr": ["0.1", "0.2"]}
