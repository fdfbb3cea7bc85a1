"""Ensembles of a claim, of what their members predicted; configurations and tables of cells that went amiss."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from cnnlab.errors import UserError
from cnnlab.study.claims import CARD, Check, Claim
from cnnlab.study.claims_page import printed
from cnnlab.study.config import read_config
from cnnlab.study.judge import Judgement, Outcome, ensemble_accuracy
from cnnlab.study.results import CellResult


def member(folder: Path, state: str = "done", **saved: Any) -> CellResult:
    folder.mkdir()
    if saved:
        np.savez(folder / "predictions.npz", **saved)
    config = {"seed": 0, "datamodule": {"num_classes": 4}}
    return CellResult(folder.name, folder, state, {}, {}, config, {"test/accuracy": 0.5})


def test_one_that_diverged_says_nothing_and_the_others_decide(tmp_path: Path) -> None:
    one = member(tmp_path / "a", label=[0, 1], probabilities=[[0.9, 0.1], [0.6, 0.4]])
    two = member(tmp_path / "b", label=[0, 1], probabilities=[[0.4, 0.6], [0.3, 0.7]])
    assert ensemble_accuracy([one, member(tmp_path / "c", "diverged"), two]) == 1


def test_where_all_diverged_there_is_chance(tmp_path: Path) -> None:
    assert ensemble_accuracy([member(tmp_path / name, "diverged") for name in "ab"]) == 0.25


@pytest.mark.parametrize(
    ("saved", "said"),
    [
        ({"label": [1, 0], "probabilities": [[1.0, 0.0]] * 2}, "were tested on different images"),
        ({"label": [0, 1, 1], "probabilities": [[1.0, 0.0]] * 2}, "do not go together"),
        ({"label": [0, 1], "probabilities": [["a", "b"]] * 2}, "do not go together"),
        ({"label": [0, 1]}, "cannot be read"),
    ],
)
def test_predictions_that_make_no_ensemble_are_named(tmp_path: Path, saved: dict[str, Any], said: str) -> None:
    good = member(tmp_path / "good", label=[0, 1], probabilities=[[1.0, 0.0]] * 2)
    with pytest.raises(UserError, match=rf"bad/predictions\.npz.*{said}"):
        ensemble_accuracy([good, member(tmp_path / "bad", **saved)])


@pytest.mark.parametrize(
    ("content", "said"), [(b"seed: {", "while parsing"), (b"- 1\n- 2\n", "no keys with values"), (b"\xff", "utf-8")]
)
def test_a_configuration_that_is_none_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "config.yaml").write_bytes(content)
    with pytest.raises(ValueError, match=rf"(?s)config\.yaml.*{said}"):
        read_config(tmp_path / "config.yaml")


def test_the_terminal_tells_verdicts_and_what_was_left_out() -> None:
    left_out = Outcome(Check("five beat one", "test/accuracy", {}, {}, ensemble=5), [0.01, 0.02], [1])
    judgement = Judgement(Claim("some", dict.fromkeys(CARD, "words"), []), [left_out], {"cell7": "failed"}, [], 2.5, {})
    console = Console(width=200)
    with console.capture() as said:
        console.print(printed([judgement]))
    assert "five beat one: groups of seeds left out, since cells are missing: [1]" in said.get()
    assert "without result: cell7 (failed)" in said.get()
