"""Cards and checks of the claims: that every one of ours is complete, and what is said of one that is not."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import OmegaConf

from cnnlab.conf import conf_folder
from cnnlab.errors import UserError
from cnnlab.study.claims import CARD, read_claim, read_claims
from cnnlab.study.judge import judge_check
from cnnlab.study.results import CellResult, parsed
from cnnlab.sweep.cells import Composer
from cnnlab.sweep.design import combinations

CLAIMS = read_claims(conf_folder() / "ablation")
CARD_OF_ANY: dict[str, Any] = dict.fromkeys(CARD, "some text")
CHECK: dict[str, Any] = {"say": "a beats b", "metric": "test/accuracy", "of": {"a": 1}, "over": {"a": 2}}
SCORES = {f"{stage}/{name}": 0.5 for stage in ("train", "val", "test") for name in ("loss", "accuracy", "macro_f1")}
COSTS = {f"cost/{name}": 1.0 for name in ("parameters", "flops", "train_images_per_second", "fit_seconds")}


def design(name: str) -> dict[str, Any]:
    """Of a preset, complete."""
    empty, its = (OmegaConf.load(conf_folder() / file).ablation for file in ("train.yaml", f"ablation/{name}.yaml"))
    values: dict[str, Any] = OmegaConf.to_container(OmegaConf.merge(empty, its))  # type: ignore[assignment]
    return values


def composer_of() -> Composer:
    """Of sweeps."""
    with initialize_config_dir(str(conf_folder()), version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        return Composer(loader, loader.load_configuration("train", ["study=x"], RunMode.MULTIRUN))


def written(folder: Path, ablation: dict[str, Any]) -> Path:
    file = folder / "some.yaml"
    file.write_text("# @package _global_\n" + OmegaConf.to_yaml({"ablation": ablation}))
    return file


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_has_a_complete_card_and_five_seeds(name: str) -> None:
    claim = CLAIMS[name]
    assert set(claim.card) == set(CARD)
    assert any(character.isdigit() for character in claim.card["source"]), "a source has a year"
    assert design(name)["seeds"] >= 5


@pytest.mark.parametrize("name", CLAIMS)
def test_the_checks_of_a_claim_select_cells_of_its_design(name: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "predictions.npz", label=[0], probabilities=[[1.0, 0.0]])
    asked = combinations(design(name), [], {})
    composer = composer_of()
    cells = [
        CellResult(
            f"{number}-{seed}",
            tmp_path,
            "done",
            dict(parsed(text) for text in part.overrides),
            dict(part.labels),
            {**composer.compose([f"ablation={name}"], part).config, "seed": seed},
            SCORES | COSTS,
        )
        for number, part in enumerate(asked.parts)
        for seed in range(len(asked.seeds))
    ]
    for check in CLAIMS[name].checks:
        outcome = judge_check(check, cells)
        assert outcome.n >= 5, check.say
        assert not outcome.left_out, check.say


def test_an_ablation_without_card_is_no_claim(tmp_path: Path) -> None:
    assert read_claim(written(tmp_path, {"seeds": 5})) is None


@pytest.mark.parametrize("part", CARD)
def test_a_card_that_leaves_something_out_is_an_error(tmp_path: Path, part: str) -> None:
    with pytest.raises(UserError, match=f"some.yaml: the card says nothing about {part}"):
        read_claim(written(tmp_path, {"card": {**CARD_OF_ANY, part: ""}, "checks": [CHECK]}))


@pytest.mark.parametrize(
    ("check", "words"),
    [
        ({**CHECK, "metrik": "test/loss"}, "a check has no metrik. Did you mean metric?"),
        ({key: value for key, value in CHECK.items() if key != "over"}, "the check a beats b lacks over"),
        ({**CHECK, "of": [{"a": 1}]}, "neither a selector nor a list of two"),
        ({**CHECK, "metric": "test/loss", "ensemble": 5}, "an ensemble is judged by test/accuracy"),
    ],
)
def test_a_check_that_cannot_be_judged_is_an_error(tmp_path: Path, check: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError) as error:
        read_claim(written(tmp_path, {"card": CARD_OF_ANY, "checks": [check]}))
    assert words in str(error.value)


def test_a_claim_without_checks_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="neither confirmed nor refuted"):
        read_claim(written(tmp_path, {"card": CARD_OF_ANY}))
