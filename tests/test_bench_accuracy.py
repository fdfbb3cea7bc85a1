import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from cnnlab.bench.accuracy_report import median, ratio, report
from cnnlab.bench.accuracy_turn import Turn, timed
from cnnlab.build import build_classifier, build_network
from cnnlab.errors import UserError
from conftest import TINY, compose_config

OURS = [Turn(100.0, 102.0, [(105.0, 0.8), (108.0, 0.91), (111.0, 0.90)], 0.905)]
THEIRS = [Turn(100.0, 110.0, [(122.0, 0.91), (134.0, 0.92)], 0.915)]
NEVER = [Turn(100.0, 102.0, [(105.0, 0.5)], 0.5)]


def test_the_first_epoch_at_the_goal_counts() -> None:
    assert OURS[0].reached(0.9) == (2, 108.0)
    assert OURS[0].seconds(0.9) == 6
    assert OURS[0].seconds(0.9, of_command=True) == 8


def test_what_never_reaches_the_goal_takes_for_ever() -> None:
    assert NEVER[0].reached(0.9) is None
    assert median([6.0, NEVER[0].seconds(0.9)]) == float("inf")
    assert median([6.0, 8.0, NEVER[0].seconds(0.9)]) == 8


def test_ratios_are_of_rounds_in_which_both_reached_the_goal() -> None:
    turns = {"a": [*OURS, *NEVER], "b": [*THEIRS, *THEIRS]}
    assert ratio(turns, "a", "b", 0.9, of_command=False) == 0.5
    assert ratio({"a": NEVER, "b": THEIRS}, "a", "b", 0.9, of_command=False) is None


def test_a_goal_that_nobody_reached_is_written_and_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"goal=0\.99: no epoch .* the best was 0\.9200"):
        report({"a": OURS, "b": THEIRS}, ("a", "b"), 0.99, "e", tmp_path, [])
    assert "| a | never | never | - | 0 of 1 | 90.50 % | - |" in (tmp_path / "table.md").read_text()
    assert json.loads((tmp_path / "bench.json").read_text())["headlines"] == []


def test_a_training_that_fails_ends_the_bench_with_what_it_said() -> None:
    with pytest.raises(UserError, match=r"No module named cnnlab\.nothing_like_it"):
        timed(lambda _: ["cnnlab.nothing_like_it"], lambda folder: folder, None)


@pytest.mark.slow
def test_both_loops_train_the_same_recipe_to_a_goal(command: Callable[..., int], here: Path) -> None:
    words = ["datamodule=digits", "experiment=lenet5_digits", *TINY, "datamodule.fraction=0.5"]
    assert command("bench", "accuracy", "rounds=1", "goal=0.2", *words) == 0
    folder = here / "runs" / "bench" / "accuracy-lenet5_digits"
    figures = json.loads((folder / "bench.json").read_text())
    assert set(figures["turns"]) == {"cnnlab", "template"}
    for (turn,) in figures["turns"].values():
        seconds = [epoch["seconds"] for epoch in turn["epochs"]]
        assert len(seconds) == 2
        assert seconds == sorted(seconds)
        assert turn["seconds_before"] > 0
        assert 0.2 < turn["test/accuracy"] <= 1
    assert [headline["n"] for headline in figures["headlines"]] == [1, 1]
    assert "template" in (folder / "table.md").read_text()
    assert "template" in (folder / "chart.svg").read_text()
    assert [path.name for path in (here / "runs").iterdir()] == ["bench"]


def test_the_templates_loop_minimizes_what_the_recipe_says() -> None:
    from cnnlab.bench.accuracy_template import WithRecipe  # imports wandb

    config = compose_config("regularizer=[none,label_smoothing]")
    classifier = build_classifier(config, build_network(config))
    module = WithRecipe(classifier, 10)
    images, labels = torch.randn(4, 1, 32, 32), torch.arange(4)
    loss = F.cross_entropy(classifier.net(images), labels, label_smoothing=0.1)
    assert torch.equal(module.train().model_step((images, labels))[0], loss)
    assert module.eval().model_step((images, labels))[0] == F.cross_entropy(classifier.net(images), labels)
