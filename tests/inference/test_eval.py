"""`cnnlab eval`: the same figures from the folder alone, and other ways to test."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from cnnlab.errors import UserError
from cnnlab.inference.eval_command import control, eval_command
from cnnlab.inference.evaluate import evaluate, scores_of, together
from cnnlab.inference.trained import load_run
from cnnlab.inference.views import TTA, Views, mirrored, shifted
from cnnlab.launch.cell import train_cell
from conftest import compose_config

QUICK = ["trainer.max_epochs=1", "trainer.limit_train_batches=8", "callbacks=quiet"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two runs that differ in the seed."""
    folders = [tmp_path_factory.mktemp("study") / f"seed{seed}" for seed in (0, 1)]
    for seed, folder in enumerate(folders):
        train_cell(compose_config(f"seed={seed}", *QUICK), folder, [])
    return folders


def test_the_same_figures_come_from_the_folder_alone(trained: list[Path], tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    shutil.copytree(trained[0], moved)
    eval_command([f"run={moved}"])
    told = json.loads((moved / "eval" / "digits" / "eval.json").read_text())
    before = json.loads((moved / "result.json").read_text())["metrics"]
    assert told["metrics"] == {name: before[name] for name in told["metrics"]}
    with np.load(moved / "predictions.npz") as old, np.load(moved / "eval" / "digits" / "predictions.npz") as new:
        assert np.array_equal(old["probabilities"], new["probabilities"])


def test_an_ensemble_is_the_mean_of_its_members_probabilities(trained: list[Path], tmp_path: Path) -> None:
    eval_command([f"run=[{trained[0]},{trained[1]}]", f"output={tmp_path}"])
    parts = [np.load(folder / "predictions.npz") for folder in trained]
    with np.load(tmp_path / "predictions.npz") as both:
        mean = np.mean([part["probabilities"] for part in parts], axis=0)
        assert np.allclose(both["probabilities"], mean, atol=1e-6)
    accuracy = (mean.argmax(axis=1) == parts[0]["label"]).mean()
    assert json.loads((tmp_path / "eval.json").read_text())["metrics"]["test/accuracy"] == pytest.approx(accuracy)


def test_a_pattern_stands_for_the_folders_it_fits(trained: list[Path], tmp_path: Path) -> None:
    for n, folder in enumerate(trained):
        shutil.copytree(folder, tmp_path / f"run{n}")
    (tmp_path / "run-eval").mkdir()  # of an ensemble before
    eval_command([f"run={tmp_path}/run*", f"output={tmp_path / 'out'}"])
    assert len(json.loads((tmp_path / "out" / "eval.json").read_text())["runs"]) == 2


def test_metrics_of_probabilities_are_those_of_logits(trained: list[Path]) -> None:
    one = load_run(trained[0])
    seen = evaluate(one, one.config)
    for name, value in scores_of(seen.predicted).items():
        assert value == pytest.approx(seen.metrics[name], abs=1e-5)


def test_runs_of_other_test_images_are_no_ensemble(trained: list[Path]) -> None:
    one = load_run(trained[0])
    seen = evaluate(one, one.config)
    fewer = type(seen.predicted)(seen.predicted.index[:9], seen.predicted.label[:9], seen.predicted.probabilities[:9])
    with pytest.raises(UserError, match="other images"):
        together([seen, type(seen)(seen.metrics, fewer)], ["a", "b"])


def test_shuffled_labels_give_chance(trained: list[Path]) -> None:
    one = load_run(trained[0])
    assert control(evaluate(one, one.config))["mean"] == pytest.approx(0.1, abs=0.02)


def test_corruptions_are_told_at_five_severities_with_a_plot(trained: list[Path], tmp_path: Path) -> None:
    eval_command([f"run={trained[0]}", "corruptions=[contrast]", f"output={tmp_path}"])
    told = json.loads((tmp_path / "eval.json").read_text())
    assert len(told["corruptions"]["contrast"]) == 5
    assert told["corruptions"]["contrast"][4] < told["metrics"]["test/accuracy"]
    assert (tmp_path / "corruptions.png").stat().st_size > 1000


def test_a_keys_value_can_be_another(trained: list[Path], tmp_path: Path) -> None:
    eval_command([f"run={trained[0]}", "datamodule.source.test_fraction=0.5", f"output={tmp_path}"])
    assert json.loads((tmp_path / "eval.json").read_text())["images"] > 800


def test_views_of_a_network_that_sees_the_mean_say_what_it_says() -> None:
    class Mean(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return torch.stack([images.mean(dim=(1, 2, 3)), -images.mean(dim=(1, 2, 3))], dim=1)

    images = torch.full((3, 1, 32, 32), 0.5)
    for views in TTA.values():
        if views:
            assert torch.allclose(Views(Mean(), views)(images), Mean()(images).log_softmax(dim=1), atol=1e-6)


def test_views_move_and_mirror_images() -> None:
    images = torch.arange(32.0).expand(1, 1, 32, 32)
    assert torch.equal(mirrored(images)[0, 0, 0], torch.arange(31.0, -1, -1))
    assert shifted(0, 1)(images)[0, 0, 0, 10] == 8  # two pixels to the right


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "of which run"),
        (["run=nothing"], "there is no such folder"),
        (["run=nothing-*"], "no run's folder is called so"),
        (["run={0}", "tta=flop"], "Did you mean flip"),
        (["run={0}", "corruptions=fog"], "there is no such choice"),
        (["run={0}", "datamodule=cifar10"], "in_channels=3"),
        (["run={0}", "datamodule.batch=3"], "the run's configuration has no datamodule.batch"),
        (["run={0}", "model=vgg11"], "there is no key model"),
        (["run={0}", "--fast"], "it is no key=value"),
    ],
)
def test_what_cannot_be_done_is_said(trained: list[Path], words: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        eval_command([word.format(*trained) for word in words])


def test_a_run_from_before_a_key_came_is_as_its_default_says(trained: list[Path], tmp_path: Path) -> None:
    shutil.copytree(trained[0], tmp_path / "run")
    file = tmp_path / "run" / ".hydra" / "config.yaml"
    lines = file.read_text().splitlines()
    file.write_text("\n".join(line for line in lines if "on_divergence" not in line))
    assert load_run(tmp_path / "run").config["trainer"]["on_divergence"] == "stop"


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda run: (run / "checkpoints" / "best.ckpt").unlink(), r"has no checkpoints/best\.ckpt"),
        (lambda run: (run / "checkpoints" / "best.ckpt").write_bytes(b"PK"), "is damaged"),
        (lambda run: (run / ".hydra" / "config.yaml").write_text("model: {"), "config.yaml"),
        (lambda run: (run / ".hydra" / "config.yaml").write_text("model: {name: a}"), "config.yaml"),
        (lambda run: (run / ".hydra" / "config.yaml").unlink(), "not the folder of a run"),
    ],
)
def test_a_damaged_run_is_told(trained: list[Path], tmp_path: Path, damage: object, said: str) -> None:
    shutil.copytree(trained[0], tmp_path / "run")
    damage(tmp_path / "run")  # type: ignore[operator]
    with pytest.raises(UserError, match=said):
        load_run(tmp_path / "run")
