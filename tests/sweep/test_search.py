"""Bayesian search, and weights that are trained first."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from cnnlab.errors import UserError
from cnnlab.sweep.bayesian import Search
from cnnlab.sweep.cells import Cell
from cnnlab.sweep.design import Part
from cnnlab.sweep.source import begun_from, needs_source, source_of, without_keys
from cnnlab.sweep.space import Space
from conftest import TINY, compose_config

pytest.importorskip("optuna")
SPACES = {"optim.lr": Space(1e-4, 1.0, log=True), "regularizer.dropout": Space(0.0, 0.6)}
PLAIN = {"kind": "optuna", "trials": 12, "seed": 0}


def search(folder: Path, *words: str, seeds: Sequence[str] = ("0",), **more: object) -> Search:
    """As a sweep with these words makes it."""
    cell = Cell(compose_config(*words), folder, [])
    return Search(Part({"model": "lenet5"}), SPACES, {**PLAIN, **more}, seeds, cell)


def ended(study: Path, part: Part) -> Cell:
    """A cell with these values, whose accuracy is best for a rate of 0.1."""
    lr = float(part.changes["optim.lr"])
    config = compose_config()
    config["optim"]["lr"] = lr
    config["regularizer"]["dropout"] = float(part.changes["regularizer.dropout"])
    cell = Cell(config, study, [], part)
    cell.folder.mkdir(parents=True, exist_ok=True)
    (cell.folder / "status.json").write_text(json.dumps({"state": "done"}))
    metrics = {"val/accuracy": 1 / (1 + abs(lr - 0.1))}
    (cell.folder / "result.json").write_text(json.dumps({"metrics": metrics}))
    return cell


def test_what_was_begun_is_taken_up_again_and_what_was_told_is_kept(tmp_path: Path) -> None:
    first = search(tmp_path)
    trials = first.next(3)
    assert first.left == 12
    first.tell(trials[0][0], [ended(tmp_path, trials[0][1])])
    again = search(tmp_path)
    assert again.left == 11
    assert again.next(2) == trials[1:]
    assert again.next(1)[0][0] == 3


def test_it_comes_near_to_the_best(tmp_path: Path) -> None:
    found = search(tmp_path, trials=25)
    while found.left:
        for number, part in found.next(1):
            found.tell(number, [ended(tmp_path, part)])
    best = max(found.study.trials, key=lambda trial: trial.value or 0)
    assert best.value is not None
    assert best.value > 0.9
    assert f"best of 25 trials: val/accuracy {best.value:.4f}" in found.best()


def test_a_trial_that_failed_is_left_for_the_next_time(tmp_path: Path) -> None:
    found = search(tmp_path, trials=1)
    ((number, part),) = found.next(1)
    cell = ended(tmp_path, part)
    (cell.folder / "result.json").unlink()
    (cell.folder / "status.json").write_text(json.dumps({"state": "failed"}))
    found.tell(number, [cell])
    assert found.left == 0
    assert search(tmp_path, trials=1).next(1) == [(number, part)]


def test_pruning_wants_one_seed(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="take one seed"):
        search(tmp_path, seeds=["0", "1"], pruner="median")


@pytest.mark.parametrize("word", ["model=nin", "trainer.max_epochs=3", "datamodule.fraction=0.5"])
def test_what_the_cells_have_in_common_makes_another_search(tmp_path: Path, word: str) -> None:
    assert search(tmp_path).name == search(tmp_path, "optim.lr=0.3", "seed=4").name
    assert search(tmp_path).name != search(tmp_path, word).name
    assert search(tmp_path).name != search(tmp_path, seeds=["0", "1"]).name


@pytest.mark.slow
def test_a_search_prunes_and_goes_on(here: Path, command: Callable[..., int]) -> None:
    words = ["train", "-m", "study=s", "ablation=bayesian", "optim.lr=tag(log,interval(1e-5,1))", *TINY]
    assert command(*words, "ablation.search.trials=6") == 0
    assert command(*words, "ablation.search.trials=8") == 0
    results = [json.loads(file.read_text()) for file in (here / "runs" / "s").glob("*/result.json")]
    assert len(results) == 8
    assert any(result["pruned"] for result in results)


def test_a_source_differs_in_what_the_design_says() -> None:
    part = Part({"model": "nin", "model.weights": "$source", "seed": "2"})
    assert needs_source(part)
    first = source_of(part, {"datamodule": "mnist"})
    assert dict(first.changes) == {"model": "nin", "seed": "2", "datamodule": "mnist"}
    assert without_keys(["datamodule=digits", "trainer=cpu"], {"datamodule": "mnist"}) == ["trainer=cpu"]


def test_a_source_that_is_not_told_is_an_error() -> None:
    with pytest.raises(UserError, match=r"ablation\.source does not say"):
        source_of(Part({"model.weights": "$source"}), {})


@pytest.mark.slow
def test_weights_are_trained_first_for_each_seed(here: Path, command: Callable[..., int]) -> None:
    words = ["ablation.axes={model.weights:[null,$source]}", "ablation.source={datamodule.fraction:0.2}", *TINY]
    assert command("train", "-m", "study=s", *words, "ablation.seeds=2") == 0
    record = json.loads((here / "runs" / "s" / "study.json").read_text())["cells"]
    assert sum(cell["labels"] == {"role": "source"} for cell in record.values()) == 2
    from_source = [cell for cell in record.values() if "best.ckpt" in cell["overrides"][0]]
    assert len({cell["overrides"][0] for cell in from_source}) == 2
    assert begun_from(Part({"seed": "1"}), None, [], {}) == Part({"seed": "1"})  # type: ignore[arg-type]
