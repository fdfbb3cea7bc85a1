"""A study's report, from its folders."""

import json
from pathlib import Path

import numpy as np
import pytest
from folders import StudyFolder, predictions

from cnnlab.errors import UserError


@pytest.fixture
def study(tmp_path: Path) -> StudyFolder:
    return StudyFolder(tmp_path / "study")


def grid(study: StudyFolder, gains: dict[str, float], seeds: int = 5) -> None:
    """Of each network, with and without dropout, which gains so much."""
    noise = np.random.default_rng(0)
    for seed in range(seeds):
        luck = noise.normal(0, 0.02)  # that all networks of a seed share
        for name, gain in gains.items():
            for dropout in (0.0, 0.5):
                accuracy = 0.7 + luck + gain * (dropout > 0) + noise.normal(0, 0.0002)
                choice = "regularizer=[none,dropout]" if dropout else "regularizer=none"
                changes = {"model.name": name, "regularizer.dropout": dropout}
                study.add(accuracy, f"model={name}", choice, seed=seed, changes=changes)


def test_planted_effects_are_found_and_differences_are_paired_by_seed(study: StudyFolder) -> None:
    grid(study, {"lenet5": 0.05, "vgg11": -0.02})
    report = study.report()
    found = {one["within"]["model"]: one["estimate"] for one in report["effects"] if one["factor"] == "regularizer"}
    for name, gain in (("lenet5", 0.05), ("vgg11", -0.02)):
        low, high, p = found[name]["low"], found[name]["high"], found[name]["p_holm"]
        assert low is not None
        assert high is not None
        assert p is not None
        assert low < gain < high
        assert high - low < 0.01  # the luck of seeds, 0.02, is not in it
        assert p < 0.05
    assert "dropout (against none) helps lenet5 (+5.0 points), hurts vgg11 (-2.0 points)." in report["summary"]


def test_interactions_are_differences_of_differences(study: StudyFolder) -> None:
    grid(study, {"lenet5": 0.05, "vgg11": -0.02})
    (interaction,) = study.report()["interactions"]
    assert {interaction["first"], interaction["second"]} == {("model", "vgg11"), ("regularizer", "dropout")}
    assert interaction["estimate"]["mean"] == pytest.approx(-0.07, abs=0.002)


def test_a_planted_null_is_not_called_an_effect(study: StudyFolder) -> None:
    grid(study, {"lenet5": 0.0})
    (effect,) = study.report()["effects"]
    assert effect["estimate"]["p_holm"] is not None
    assert effect["estimate"]["p_holm"] > 0.05


def test_the_networks_are_the_rows_and_the_regularizers_the_columns(study: StudyFolder) -> None:
    grid(study, {"lenet5": 0.05, "vgg11": 0.02}, seeds=1)
    report = study.report()
    assert (report["rows"], report["columns"]) == (["model"], ["regularizer"])
    report = study.report(rows=["regularizer"], columns=["model"])
    assert (report["rows"], report["columns"]) == (["regularizer"], ["model"])


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"rows": ["modle"]}, "--rows modle: there is no such factor in this study. Did you mean model?"),
        ({"rows": ["model"], "columns": ["model"]}, "--columns model: it is in --rows, too"),
        (
            {"metric": "test/acuracy"},
            "--metric test/acuracy: not every finished cell has it. Did you mean test/accuracy?",
        ),
        ({"baselines": {"model": "vgg16"}}, "--baseline model=vgg16: there is no such level. Did you mean vgg11?"),
    ],
)
def test_what_is_not_in_the_study_is_refused_by_name(study: StudyFolder, wanted: dict[str, object], words: str) -> None:
    grid(study, {"lenet5": 0.05, "vgg11": 0.02}, seeds=1)
    with pytest.raises(UserError) as raised:
        study.report(**wanted)
    assert words in str(raised.value)


def test_another_baseline_turns_an_effect_round(study: StudyFolder) -> None:
    grid(study, {"lenet5": 0.05})
    (effect,) = study.report(baselines={"regularizer": "dropout"})["effects"]
    assert (effect["level"], effect["baseline"]) == ("none", "dropout")
    assert effect["estimate"]["mean"] == pytest.approx(-0.05, abs=0.002)


def test_failed_and_missing_cells_are_told_and_lower_n(study: StudyFolder) -> None:
    study.add(0.9, seed=0)
    study.add(None, seed=1, state="failed")
    study.add(None, seed=2, state=None)
    report = study.report()
    assert report["counts"] == {"done": 1, "failed": 1, "missing": 1}
    assert report["conditions"][0]["n"] == 1
    assert report["conditions"][0]["states"] == {"done": 1, "failed": 1, "missing": 1}
    assert any("2 of 3 cells have no result (1 failed, 1 missing)" in line for line in report["warnings"])
    assert [cell["why"] for cell in report["cells"]] == ["", "boom", ""]


def test_a_diverged_cell_counts_as_chance(study: StudyFolder) -> None:
    study.add(0.9, seed=0)
    study.add(None, seed=1, state="diverged")
    condition = study.report()["conditions"][0]
    assert condition["values"] == {"0": 0.9, "1": 0.25}


def test_a_result_that_cannot_be_read_is_told_and_counts_as_none(study: StudyFolder) -> None:
    study.add(0.9, seed=0)
    broken = study.add(0.9, seed=1)
    (broken / "result.json").write_text('{"metrics": ')
    report = study.report()
    assert report["counts"] == {"done": 1, "unreadable": 1}
    assert "result.json" in report["cells"][1]["why"]


def test_runs_that_the_study_does_not_know_are_left_out_and_told(study: StudyFolder) -> None:
    study.add(0.9, seed=0)
    study.add(0.1, seed=1, recorded=False)
    report = study.report()
    assert len(report["cells"]) == 1
    assert any("are not in study.json and are left out: cell" in line for line in report["warnings"])


def test_runs_that_were_trained_to_help_others_are_not_compared(study: StudyFolder) -> None:
    study.add(0.9, seed=0)
    study.add(0.9, seed=1, labels={"role": "trial"})
    assert len(study.report()["cells"]) == 1


def test_the_best_and_what_cannot_be_told_from_it_are_marked(study: StudyFolder) -> None:
    noise = np.random.default_rng(1)
    for seed in range(5):
        for name, accuracy in (("good", 0.9), ("like it", 0.8999), ("bad", 0.7)):
            changes = {"model.name": name}
            study.add(accuracy + noise.normal(0, 0.002), f"model={name}", seed=seed, changes=changes)
    marks = {one["levels"]["model"]: (one["best"], one["not_worse"]) for one in study.report()["conditions"]}
    assert marks["bad"] == (False, False)
    assert {marks["good"], marks["like it"]} == {(True, False), (False, True)}


def test_of_losses_the_lowest_is_best(study: StudyFolder) -> None:
    for name, loss in (("low", 0.2), ("high", 0.9)):
        cell = study.add(0.9, f"model={name}", changes={"model.name": name})
        result = json.loads((cell / "result.json").read_text())
        result["metrics"]["test/loss"] = loss
        (cell / "result.json").write_text(json.dumps(result))
    best = [one["levels"]["model"] for one in study.report(metric="test/loss")["conditions"] if one["best"]]
    assert best == ["low"]


def test_curves_are_means_over_seeds_with_their_range(study: StudyFolder) -> None:
    for seed in range(2):
        cell = study.add(0.9, seed=seed)
        (cell / "metrics.csv").write_text(f"epoch,val/accuracy\n0,{0.5 + seed / 10}\n1,{0.7 + seed / 10}\n")
    (curve,) = study.report()["curves"]
    assert curve["epoch"] == [1, 2]
    assert curve["mean"] == pytest.approx([0.55, 0.75])
    assert [*curve["low"], *curve["high"], *curve["n"]] == pytest.approx([0.5, 0.7, 0.6, 0.8, 2, 2])


def test_the_predictions_of_all_seeds_are_read(study: StudyFolder) -> None:
    for seed in range(3):
        predictions(study.add(0.75, seed=seed), [0, 1, 2, 3], [0, 1, 2, 0])
    report = study.report()
    assert report["images"][0]["ensemble"] == 0.75
    assert report["images"][0]["n"] == 3
    assert report["hardest"][0]["index"] == 3


def test_a_report_goes_through_json_unchanged(study: StudyFolder) -> None:
    grid(study, {"lenet5": 0.05}, seeds=2)
    report = study.report()
    assert json.loads(json.dumps(report, allow_nan=False))["conditions"] == report["conditions"]


def test_cells_of_other_commits_are_told(study: StudyFolder) -> None:
    for seed, commit in enumerate(("4bb227f", "b9cf1a4")):
        cell = study.add(0.9, seed=seed)
        result = json.loads((cell / "result.json").read_text())
        result["environment"]["commit"] = commit
        (cell / "result.json").write_text(json.dumps(result))
    report = study.report()
    assert report["code"] == {"4bb227f": 1, "b9cf1a4": 1}
    assert any("cells were trained with 2 commits" in line for line in report["warnings"])


def test_a_condition_without_any_result_is_among_the_effects_with_n_0(study: StudyFolder) -> None:
    grid(study, {"lenet5": 0.05})
    for seed in range(2):
        changes = {"model.name": "vgg11"}
        study.add(0.8, "model=vgg11", "regularizer=none", seed=seed, changes=changes)
        study.add(None, "model=vgg11", "regularizer=[none,dropout]", seed=seed, state=None)
    report = study.report()
    (lost,) = [one for one in report["effects"] if one["within"] == {"model": "vgg11"}]
    assert (lost["level"], lost["estimate"]["n"], lost["estimate"]["mean"]) == ("dropout", 0, None)
    assert "too few seeds to test it for vgg11." in " ".join(report["summary"])


def test_what_cannot_be_tested_is_not_called_equal(study: StudyFolder) -> None:
    study.add(0.9, "optim=adam")
    study.add(0.5, "optim=sgd", changes={"optim._target_": "torch.optim.SGD"})
    report = study.report()
    assert [(one["best"], one["not_worse"], one["untested"]) for one in report["conditions"]] == [
        (True, False, False),
        (False, False, True),
    ]
    said = " ".join(report["summary"])
    assert "1 cannot be tested against it (fewer than two seeds in common)" in said
    assert "optim=sgd (against adam): too few seeds to test it, -40.0 points (n = 1)." in said
    assert "no difference is shown" not in said


def test_two_cells_of_one_seed_count_once_and_that_is_said(study: StudyFolder) -> None:
    study.add(state="failed", seed=0)
    study.add(0.9, seed=0)
    study.add(0.5, seed=0)
    report = study.report()
    assert [(one["n"], one["mean"]) for one in report["conditions"]] == [(1, 0.9)]
    assert any("2 cells have the seed and the levels of another" in line for line in report["warnings"])


def test_a_number_that_was_drawn_has_its_rank_correlation_told(study: StudyFolder) -> None:
    for n in range(12):
        study.add(0.5 + n / 100, f"optim.lr={n / 7}", changes={"optim.lr": n / 7})
    report = study.report()
    assert "a rise of test/accuracy with it (rank correlation +1.00" in " ".join(report["summary"])
    assert any("choose with --metric val/accuracy" in line for line in report["warnings"])


def test_what_holds_on_average_over_all_else_is_said(study: StudyFolder) -> None:
    grid(study, {"lenet5": 0.05, "vgg11": 0.02})
    assert any(
        line.startswith("dropout (against none), on average over all else: helps, +3.5 points")
        for line in study.report()["summary"]
    )


def test_a_seed_that_averages_cannot_use_is_told(study: StudyFolder) -> None:
    grid(study, {"lenet5": 0.05, "vgg11": 0.02})
    (study.folder / "cell3" / "result.json").unlink()  # vgg11 with dropout, of seed 0
    report = study.report()
    assert {one["estimate"]["n"] for one in report["main_effects"]} == {4}
    assert any("averages over other factors use only the seeds" in line for line in report["warnings"])


def test_a_metric_without_a_better_side_has_no_best(study: StudyFolder) -> None:
    grid(study, {"lenet5": 0.05})
    for result in study.folder.glob("*/result.json"):
        told = json.loads(result.read_text())
        told["metrics"]["train/lr"] = told["metrics"]["test/accuracy"] / 100
        result.write_text(json.dumps(told))
    report = study.report(metric="train/lr")
    assert not any(one["best"] for one in report["conditions"])
    assert "Best" not in " ".join(report["summary"])


def test_one_condition_alone_is_not_the_best_of_anything(study: StudyFolder) -> None:
    study.add(0.9)
    assert not study.report()["conditions"][0]["best"]


def test_a_metric_is_asked_for_before_a_cell_is_done(study: StudyFolder) -> None:
    study.add(state="running")
    assert study.report(metric="val/loss")["metric"] == "val/loss"
    with pytest.raises(UserError, match="it must begin with one of test, val, train"):
        study.report(metric="loss")


def test_cells_that_took_unequally_long_are_told(study: StudyFolder) -> None:
    for seed in range(2):
        cell = study.add(0.9, seed=seed)
        told = json.loads((cell / "result.json").read_text())
        told["cost"]["fit_seconds"] = 10 + 10 * seed
        (cell / "result.json").write_text(json.dumps(told))
    assert any("took up to 2.0 times as long" in line for line in study.report()["warnings"])
