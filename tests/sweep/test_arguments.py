"""What is made of a sweep's command line before Hydra sees it."""

import re

import pytest

from cnnlab.errors import UserError
from cnnlab.sweep.arguments import as_plan, require_sweep, with_pieces, with_study


def test_the_default_name_stands_among_the_other_overrides() -> None:
    words = with_study(["-m", "model=lenet5", "seed=0,1", "--config-dir", "conf"])
    assert re.fullmatch(r"study=seed-[0-9a-f]{6}", words.pop(1))
    assert words == ["-m", "model=lenet5", "seed=0,1", "--config-dir", "conf"]


@pytest.mark.parametrize("words", [["model=lenet5"], ["-m", "study=mine", "seed=0,1"]])
def test_a_single_run_and_a_study_with_a_name_get_no_other(words: list[str]) -> None:
    assert with_study(words) == words


def test_a_plan_has_no_launcher_but_its_own_and_no_keys_of_another() -> None:
    words = ["-m", "hydra/launcher=slurm", "hydra.launcher.minutes=5", "seed=0,1", "--all"]
    assert as_plan(words) == ["-m", "seed=0,1", "hydra/launcher=plan", "hydra.launcher.rows=null"]
    assert as_plan(["hydra.launcher.jobs=2"]) == ["-m", "hydra.launcher.jobs=2", "hydra/launcher=plan"]


def test_pieces_of_a_design_may_be_added_to() -> None:
    assert with_pieces(["ablation.axes={seed:[0,1]}", "seed=0"]) == ["++ablation.axes={seed:[0,1]}", "seed=0"]


@pytest.mark.parametrize("word", ["ablation=one_factor", "++ablation.seeds=3", "tune=lr"])
def test_a_design_without_m_is_told(word: str) -> None:
    with pytest.raises(UserError, match="it makes a sweep: add -m"):
        require_sweep([word])
    require_sweep(["-m", word])
    require_sweep(["tune=null"])
