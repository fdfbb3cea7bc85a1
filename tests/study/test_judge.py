"""Verdicts on made-up studies."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf
from scipy import stats

from cnnlab.errors import UserError
from cnnlab.study.claims import Check, Claim
from cnnlab.study.judge import Judgement, judge

RELU, TANH = {"model.activation": "relu"}, {"model.activation": "tanh"}


class Study:
    """A study's folder, a cell at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cells: dict[str, Any] = {}

    def add(
        self,
        seed: int,
        accuracy: float | None = None,
        activation: str = "relu",
        noise: float = 0.0,
        state: str | None = "done",
        labels: dict[str, str] | None = None,
        probabilities: list[list[float]] | None = None,
    ) -> str:
        """A cell with that test accuracy, and its name; state None: it never began."""
        name = f"cell{len(self.cells)}"
        varied = [f"model.activation={activation}", "optim=adam", "regularizer=[none,dropout]", f"seed={seed}"]
        self.cells[name] = {"overrides": varied, "labels": labels or {}}
        self.tell()
        if state is None:
            return name
        cell = self.folder / name
        (cell / ".hydra").mkdir(parents=True)
        config = {
            "seed": seed,
            "model": {"activation": activation, "name": "lenet5"},
            "datamodule": {"num_classes": 4, "label_noise": noise},
            "optim": {"lr": 1e-5},
        }
        (cell / ".hydra" / "config.yaml").write_text(OmegaConf.to_yaml(config))
        (cell / "status.json").write_text(json.dumps({"state": state, "seconds": 30.0}))
        if state == "done":
            result = {"metrics": {"test/accuracy": accuracy}, "cost": {"parameters": 7 if activation == "relu" else 9}}
            (cell / "result.json").write_text(json.dumps({**result, "environment": {"torch": "2"}}))
        if probabilities is not None:
            np.savez(cell / "predictions.npz", label=np.zeros(len(probabilities), int), probabilities=probabilities)
        return name

    def tell(self) -> None:
        told = {"commands": [], "cells": self.cells, "jobs": 2, "ablation": "some"}
        (self.folder / "study.json").write_text(json.dumps(told))

    def judged(self, *checks: Check) -> Judgement:
        return judge(self.folder, Claim("some", {}, list(checks)))


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study(tmp_path)


def check(of: Any = RELU, over: Any = TANH, metric: str = "test/accuracy", **more: Any) -> Check:
    return Check("it is so", metric, of, over, **more)


def pairs(study: Study, *accuracies: tuple[float, float]) -> None:
    for seed, (relu, tanh) in enumerate(accuracies):
        study.add(seed, relu)
        study.add(seed, tanh, "tanh")


def test_the_interval_is_that_of_paired_differences(study: Study) -> None:
    a, b = [0.80, 0.70, 0.90, 0.60, 0.75], [0.75, 0.67, 0.86, 0.50, 0.74]
    pairs(study, *zip(a, b, strict=True))
    outcome = study.judged(check()).outcomes[0]
    paired = stats.ttest_rel(a, b).confidence_interval(0.95)
    assert outcome.n == 5
    assert outcome.mean == pytest.approx(np.mean(a) - np.mean(b))
    assert outcome.interval == pytest.approx((paired.low, paired.high))
    assert outcome.holds == (paired.low > 0)


def test_a_check_holds_only_above_its_bound(study: Study) -> None:
    pairs(study, (0.8, 0.7), (0.81, 0.7), (0.79, 0.7))
    assert [outcome.holds for outcome in study.judged(check(by=0.05), check(by=0.095)).outcomes] == [True, False]


def test_times_multiplies_what_is_compared_with(study: Study) -> None:
    pairs(study, (0.8, 0.3), (0.8, 0.31))
    assert study.judged(check(times=2)).outcomes[0].differences == pytest.approx([0.2, 0.18])


def test_the_gain_at_one_level_over_the_gain_at_another(study: Study) -> None:
    for seed in range(3):
        for noise, gain in ((0.0, 0.01), (0.4, 0.05 + seed / 1000)):
            study.add(seed, 0.5 + gain, "relu", noise)
            study.add(seed, 0.5, "tanh", noise)
    noisy, clean = ([{**side, "datamodule.label_noise": noise} for side in (RELU, TANH)] for noise in (0.4, 0))
    outcome = study.judged(check(noisy, clean)).outcomes[0]
    assert outcome.differences == pytest.approx([0.04, 0.041, 0.042])


def test_cells_of_a_seed_are_averaged(study: Study) -> None:
    for seed in range(2):
        for noise in (0.0, 0.4):
            study.add(seed, 0.8 - noise, "relu", noise)
            study.add(seed, 0.5, "tanh", noise)
    assert study.judged(check()).outcomes[0].differences == pytest.approx([0.1, 0.1])


def test_a_diverged_cell_counts_as_chance_and_is_named(study: Study) -> None:
    pairs(study, (0.8, 0.7))
    study.add(1, 0.8)
    name = study.add(1, activation="tanh", state="diverged")
    judgement = study.judged(check())
    assert judgement.outcomes[0].differences == pytest.approx([0.1, 0.8 - 1 / 4])
    assert judgement.diverged == [name]
    assert judgement.unfinished == {}


@pytest.mark.parametrize(("state", "said"), [("failed", "failed"), ("running", "running"), (None, "not begun")])
def test_a_missing_cell_is_named_and_its_seed_left_out(study: Study, state: str | None, said: str) -> None:
    pairs(study, (0.8, 0.7), (0.9, 0.7), (0.85, 0.7))
    study.add(3, 0.8)
    name = study.add(3, activation="tanh", state=state)
    judgement = study.judged(check())
    assert judgement.unfinished == {name: said}
    assert judgement.verdict == "unfinished"
    assert judgement.outcomes[0].n == 3
    assert judgement.outcomes[0].left_out == [3]


def test_a_seed_of_which_one_cell_is_missing_is_no_fair_mean(study: Study) -> None:
    for seed in range(3):
        for noise in (0.0, 0.4):
            study.add(seed, 0.8, "relu", noise)
            study.add(seed, 0.5, "tanh", noise, state="failed" if seed == 1 and noise else "done")
    assert study.judged(check()).outcomes[0].left_out == [1]


def test_an_ensemble_is_compared_with_the_mean_of_its_members(study: Study) -> None:
    sure, wrong = [0.7, 0.1, 0.1, 0.1], [0.3, 0.4, 0.2, 0.1]
    for seed in range(6):  # of three members, each is wrong about one image of three
        predicted = [wrong if seed % 3 == image else sure for image in range(3)]
        study.add(seed, 2 / 3, probabilities=predicted)
    outcome = study.judged(check(of=RELU, over=RELU, ensemble=3)).outcomes[0]
    assert outcome.differences == pytest.approx([1 / 3, 1 / 3])


def test_a_group_without_all_its_seeds_makes_no_ensemble(study: Study) -> None:
    for seed in range(5):
        study.add(seed, 0.5, probabilities=[[1, 0, 0, 0]])
    outcome = study.judged(check(of=RELU, over=RELU, ensemble=3)).outcomes[0]
    assert outcome.n == 1
    assert outcome.left_out == [1]


@pytest.mark.parametrize(
    ("bounds", "verdict"),
    [((0, 0), "confirmed"), ((0, 0.5), "partly confirmed"), ((0.5, 0.5), "not confirmed")],
)
def test_verdicts(study: Study, bounds: tuple[float, float], verdict: str) -> None:
    pairs(study, (0.8, 0.7), (0.81, 0.7), (0.79, 0.7))
    assert study.judged(*(check(by=by) for by in bounds)).verdict == verdict


def test_one_difference_confirms_nothing(study: Study) -> None:
    pairs(study, (0.8, 0.1))
    assert study.judged(check()).verdict == "not confirmed"


def test_costs_are_metrics_and_may_be_all_the_same(study: Study) -> None:
    pairs(study, (0.8, 0.7), (0.8, 0.7))
    outcome = study.judged(check(of=TANH, over=RELU, metric="cost/parameters")).outcomes[0]
    assert (outcome.interval, outcome.holds) == ((2, 2), True)


def test_labels_groups_and_values_select(study: Study) -> None:
    for seed in range(2):
        study.add(seed, 0.8, labels={"leave_out": "full"})
        study.add(seed, 0.6, labels={"leave_out": "- dropout"})
    everything = {"optim": "adam", "optim.lr": 0.00001, "regularizer": ["none", "dropout"]}
    judged = study.judged(check({**everything, "leave_out": "full"}, {"leave_out": "- dropout"}))
    assert judged.outcomes[0].differences == pytest.approx([0.2, 0.2])


@pytest.mark.parametrize(
    ("selector", "words"),
    [
        (
            {"model.activation": "tahn"},
            "model.activation: tahn matches no cell. Did you mean tanh? There is: relu, tanh",
        ),
        ({"model.activasion": "tanh"}, "model.activasion: no cell of this study has such a key or label"),
        ({"leave_out": "full"}, "leave_out: no cell of this study has such a key or label"),
        ({"model.activation": "relu", "seed": 5}, "seed: 5 matches no cell"),
        ({"model.activation": "tanh", "datamodule.label_noise": 0.4}, "never all together"),
    ],
)
def test_a_selector_that_matches_nothing_is_an_error(study: Study, selector: dict[str, Any], words: str) -> None:
    pairs(study, (0.8, 0.7))
    study.add(1, 0.8, noise=0.4)
    with pytest.raises(UserError) as error:
        study.judged(check(selector))
    assert words in str(error.value)


def test_an_unknown_metric_is_an_error(study: Study) -> None:
    pairs(study, (0.8, 0.7))
    with pytest.raises(UserError, match=r"has no metric test/acuracy\. Did you mean test/accuracy\?"):
        study.judged(check(metric="test/acuracy"))


def test_a_folder_without_study_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"study\.json has no cells: no study has begun there"):
        judge(tmp_path, Claim("some", {}, [check()]))


def test_minutes_are_those_of_the_command(study: Study) -> None:
    pairs(study, (0.8, 0.7), (0.8, 0.7))  # 30 seconds each, two at once
    assert study.judged(check()).minutes == pytest.approx(1)
