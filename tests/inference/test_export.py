"""`cnnlab export`: files that say what the network says."""

from pathlib import Path

import numpy as np
import pytest
import torch

from cnnlab.errors import UserError
from cnnlab.inference import export as exporting
from cnnlab.inference.export import export, prepared
from cnnlab.inference.formats import FORMATS
from cnnlab.inference.trained import load_run
from cnnlab.launch.cell import train_cell
from conftest import compose_config

QUICK = ["trainer.max_epochs=1", "trainer.limit_train_batches=4", "callbacks=quiet"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study") / "run"
    train_cell(compose_config(*QUICK), folder, [])
    return folder


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.slow if kind == "onnx" else []) for kind in FORMATS]
)
def test_a_file_of_each_kind_says_what_the_network_says(
    kind: str, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / f"net{FORMATS[kind].ending}"
    export([f"run={run}", f"format={kind}", f"output={file}", "tolerance=1e-4"])
    assert "largest difference" in capsys.readouterr().out
    assert file.stat().st_size > 100_000


@pytest.mark.slow
@pytest.mark.parametrize("model", ["resnet20", "googlenet", "vgg11"])
def test_onnx_runs_networks_with_branches_norms_and_dropout(model: str, tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    overrides = [f"model={model}", "model.width=0.25", "regularizer=[batch_norm,dropout]", *QUICK]
    train_cell(compose_config(*overrides), tmp_path / "run", [])
    export([f"run={tmp_path / 'run'}", f"output={tmp_path / 'net.onnx'}", "preprocess=true"])
    net, images = prepared(load_run(tmp_path / "run"), 5, preprocess=True)
    assert (float(images.min()), float(images.max())) == pytest.approx((0, 1), abs=0.1)
    session = onnxruntime.InferenceSession(str(tmp_path / "net.onnx"))
    with torch.inference_mode():
        expected = net(images).numpy()
    assert np.allclose(session.run(None, {"images": images.numpy()})[0], expected, atol=1e-3)


def test_the_card_tells_metrics_with_n_data_recipe_and_limits(run: Path, tmp_path: Path) -> None:
    export([f"run={run}", "format=safetensors", f"output={tmp_path / 'net.safetensors'}"])
    told = (tmp_path / "README.md").read_text()
    assert "n = 1, seed 0" in told
    assert "359 test images" in told
    for words in ("test/accuracy", "CC BY 4.0", "Adam, lr 0.001, 1 epochs", "What it is not for"):
        assert words in told


def test_a_file_that_says_something_else_is_not_kept(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "furthest", lambda *_: 0.5)
    with pytest.raises(UserError, match=r"up to 0\.5 from the network's"):
        export([f"run={run}", "format=torchscript", f"output={tmp_path / 'net.pt'}"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["format=onnx"], "of which run"),
        (["run={0}", "format=onyx"], "Did you mean onnx"),
        (["run={0}", "preprocess=yes"], "preprocess=yes"),
        (["run={0}", "tolerance=-1"], "it must be a number above 0"),
        (["run={0}", "tolerance=little"], "it must be a number above 0"),
        (["run={0}", "datamodule=mnist"], "there is no such key"),
        (["run={0}", "images=none"], "it must be a whole number"),
    ],
)
def test_what_cannot_be_done_is_said(run: Path, words: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        export([word.format(run) for word in words])
