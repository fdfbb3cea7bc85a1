"""What ingredients bring, from recipes that are sets of them."""

from itertools import chain, combinations
from pathlib import Path

import pytest
from folders import StudyFolder

from cnnlab.report.content import Interaction, Report

KEYS = {"BatchNorm": ("regularizer.norm", "batch"), "dropout": ("regularizer.dropout", 0.5)}
KEYS |= {"weight decay": ("regularizer.weight_decay", 5e-4)}
GAINS = {"BatchNorm": 0.05, "dropout": 0.02, "weight decay": 0.01}
NOISE = (0.0, 0.001, -0.001)  # of each seed, the same for all recipes but none


def recipes(study: StudyFolder, recipes: list[tuple[str, ...]], model: str = "lenet5", both: float = 0.0) -> None:
    """both: what BatchNorm and dropout bring together beyond their sum."""
    for on in recipes:
        for seed, noise in enumerate(NOISE):
            accuracy = 0.7 + sum(GAINS[one] for one in on) + noise * bool(on)
            accuracy += both * ({"BatchNorm", "dropout"} <= set(on))
            changes = {"model.name": model, **{KEYS[one][0]: KEYS[one][1] for one in on}}
            study.add(accuracy, f"model={model}", f"regularizer=[{','.join(on)}]", seed=seed, changes=changes)


def every(names: list[str]) -> list[tuple[str, ...]]:
    return list(chain.from_iterable(combinations(names, size) for size in range(len(names) + 1)))


def of(report: Report, first: str, second: str) -> Interaction:
    found = [one for one in report["interactions"] if (one["first"][0], one["second"][0]) == (first, second)]
    return next(one for one in found if one["within"] == {})


@pytest.fixture
def study(tmp_path: Path) -> StudyFolder:
    return StudyFolder(tmp_path / "study")


def test_an_ingredients_main_effect_is_averaged_over_all_recipes(study: StudyFolder) -> None:
    recipes(study, every(["BatchNorm", "dropout"]), both=-0.03)
    effects = {one["factor"]: one["estimate"]["mean"] for one in study.report()["main_effects"] if one["within"] == {}}
    assert effects["BatchNorm"] == pytest.approx(0.05 - 0.03 / 2, abs=0.001)
    assert effects["dropout"] == pytest.approx(0.02 - 0.03 / 2, abs=0.001)


def test_two_that_stand_in_for_one_another_have_a_negative_interaction(study: StudyFolder) -> None:
    recipes(study, every(["BatchNorm", "dropout"]), both=-0.03)
    report = study.report()
    found = of(report, "BatchNorm", "dropout")["estimate"]
    assert found["mean"] == pytest.approx(-0.03, abs=0.001)
    assert found["low"] is not None
    assert found["high"] is not None
    assert found["low"] < -0.03 + 0.001 < found["high"]
    assert any("BatchNorm and dropout stand in for one another" in line for line in report["summary"])


def test_all_together_are_set_against_the_sum_of_each_alone(study: StudyFolder) -> None:
    names = list(GAINS)
    recipes(study, [(), *((name,) for name in names), tuple(names)], both=-0.02)
    found = [one for one in study.report()["interactions"] if one["second"][1] == "the sum of each alone"]
    assert [one["first"][1] for one in found] == ["BatchNorm + dropout + weight decay"]
    assert found[0]["estimate"]["mean"] == pytest.approx(-0.02, abs=0.003)


@pytest.mark.slow
def test_each_network_has_interactions_of_its_own(study: StudyFolder) -> None:
    recipes(study, every(["BatchNorm", "dropout"]), "lenet5", both=-0.03)
    recipes(study, every(["BatchNorm", "dropout"]), "vgg11", both=0.03)
    found = {
        one["within"].get("model"): one["estimate"]["mean"]
        for one in study.report()["interactions"]
        if one["first"] == ("BatchNorm", "with")
    }
    assert found == pytest.approx({None: 0.0, "lenet5": -0.03, "vgg11": 0.03}, abs=0.002)


def test_recipes_without_a_common_background_have_no_interaction(study: StudyFolder) -> None:
    recipes(study, [(), ("BatchNorm",), ("dropout",)])
    assert study.report()["interactions"] == []


def test_two_that_hurt_do_not_stand_in_for_one_another(study: StudyFolder) -> None:
    recipes(study, every(["BatchNorm", "dropout"]), both=-0.2)
    said = " ".join(study.report()["summary"])
    assert "BatchNorm and dropout together bring less than the sum of each" in said
    assert "stand in for" not in said
