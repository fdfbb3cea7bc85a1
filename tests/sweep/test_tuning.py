"""Each architecture gets its learning rate by val/accuracy of trials."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from cnnlab.conf import conf_folder
from cnnlab.errors import UserError
from cnnlab.sweep.cells import Cell
from cnnlab.sweep.design import Part
from cnnlab.sweep.tuning import ROLE, Tuning, chosen
from conftest import TINY, compose_config

LR: dict[str, Any] = OmegaConf.to_container(OmegaConf.load(conf_folder() / "tune" / "lr.yaml"))["tune"]  # type: ignore[index,call-overload,assignment]


def tuning(**more: Any) -> Tuning:
    made = Tuning.of({**LR, **more}, set())
    assert made
    return made


def trial(study: Path, lr: str, accuracy: float | None, state: str = "done") -> Cell:
    """A cell that came to its end."""
    cell = Cell(compose_config(f"optim.lr={lr}"), study, [], Part({"optim.lr": lr}))
    cell.folder.mkdir(parents=True)
    (cell.folder / "status.json").write_text(json.dumps({"state": state}))
    if accuracy is not None:
        (cell.folder / "result.json").write_text(json.dumps({"metrics": {"val/accuracy": accuracy}}))
    return cell


def test_trials_are_factors_of_the_configured_rate_and_touch_no_test_set() -> None:
    trials = tuning(factors=[1, 0.1]).trials(Part({"model": "lenet5", "seed": "3"}), compose_config("optim=sgd"))
    assert [part.changes["optim.lr"] for part in trials] == ["0.01", "0.1"]
    assert all(part.changes["test"] == "false" and part.changes["seed"] == "1000" for part in trials)
    assert all(part.labels == ROLE for part in trials)


def test_model_and_optimizer_have_a_rate_of_their_own_whatever_the_rate_was() -> None:
    lenet, sgd, dropout = compose_config(), compose_config("optim=sgd"), compose_config("regularizer.dropout=0.5")
    assert tuning().group(lenet) == tuning().group(dropout)
    assert tuning().group(lenet) != tuning().group(sgd)
    assert tuning(by=["model", "optim", "regularizer"]).group(lenet) != tuning(
        by=["model", "optim", "regularizer"]
    ).group(dropout)


def test_the_highest_accuracy_wins_and_of_those_that_tie_the_smallest_rate(tmp_path: Path) -> None:
    cells = [trial(tmp_path, "0.3", 0.9), trial(tmp_path, "0.1", 0.9), trial(tmp_path, "0.01", 0.8)]
    assert chosen(tuning(), {"g": cells}) == {"g": 0.1}


def test_a_trial_that_diverged_is_worse_than_any_other(tmp_path: Path) -> None:
    cells = [trial(tmp_path, "0.3", None, "diverged"), trial(tmp_path, "0.1", 0.1)]
    assert chosen(tuning(), {"g": cells}) == {"g": 0.1}


def test_nothing_is_chosen_where_all_diverged_or_one_is_missing(tmp_path: Path) -> None:
    diverged = trial(tmp_path, "0.3", None, "diverged")
    with pytest.raises(UserError, match="all trials of lenet5 diverged"):
        chosen(tuning(), {"g": [diverged]})
    with pytest.raises(UserError, match="did not finish"):
        chosen(tuning(), {"g": [diverged, trial(tmp_path, "0.1", None, "failed")]})


@pytest.mark.parametrize("factors", [[1], [1, -1], 3, [1, 1]])
def test_factors_that_are_none_are_refused(factors: Any) -> None:
    with pytest.raises(UserError, match=r"tune\.factors"):
        tuning(factors=factors)


def test_a_rate_on_the_command_line_and_tuning_contradict_each_other() -> None:
    with pytest.raises(UserError, match=r"optim\.lr=.*leave one of them out"):
        Tuning.of(LR, {"optim.lr"})


@pytest.mark.slow
def test_a_sweep_is_tuned_before_it_compares(here: Path, command: Callable[..., int]) -> None:
    words = ["train", "-m", "study=s", "optim=sgd,adam", "tune=lr", "tune.factors=[0.01,1]", "seed=0,1", *TINY]
    assert command(*words) == 0
    record = json.loads((here / "runs" / "s" / "study.json").read_text())["cells"]
    assert len(record) == 8
    trials = [name for name, cell in record.items() if cell["labels"] == ROLE]
    assert len(trials) == 4
    for name in trials:
        metrics = json.loads((here / "runs" / "s" / name / "result.json").read_text())["metrics"]
        assert not any(key.startswith("test/") for key in metrics)
        assert not (here / "runs" / "s" / name / "predictions.npz").exists()
    rates = {cell["overrides"][0] + cell["overrides"][-1] for name, cell in record.items() if name not in trials}
    assert len(rates) == 2
