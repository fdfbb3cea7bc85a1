"""`from cnnlab import create_model, fit, load_run`."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import cnnlab
from cnnlab import Fitted, UserError, create_model, fit, load_run
from cnnlab.inference.picture import Picture
from cnnlab.override_words import words_of
from cnnlab.zoo import card
from conftest import REPOSITORY, TINY, compose_config, stems

EXAMPLES = sorted((REPOSITORY / "scripts").glob("example_*.py"))


def count(net: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    return fit(*TINY, {"runs_dir": tmp_path_factory.mktemp("runs"), "study": "library"})


def test_importing_cnnlab_imports_no_torch() -> None:
    code = "import sys, cnnlab; sys.exit(bool({'torch', 'lightning', 'hydra', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_all_that_is_offered_is_there_and_has_a_docstring() -> None:
    for name in cnnlab.__all__:
        assert getattr(cnnlab, name).__doc__
    assert set(cnnlab.__all__) <= set(dir(cnnlab))
    with pytest.raises(AttributeError, match="no attribute 'craete_model'"):
        cnnlab.craete_model  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.slow
def test_type_checkers_know_what_is_offered(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "from cnnlab import create_model, fit, load_run\n"
        "reveal_type(create_model('lenet5'))\n"
        "reveal_type(fit('seed=0').metrics)\n"
        "reveal_type(load_run('x').predict(['a.png']))\n"
        "create_model(3)\n"
        "from cnnlab import craete_model\n"
    )
    mypy = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--cache-dir", ".mypy_cache"]
    done = subprocess.run([*mypy, str(program)], capture_output=True, text=True, cwd=REPOSITORY)
    said = re.findall(r'Revealed type is "(.*?)"|\[([a-z-]+)\]$', done.stdout, re.MULTILINE)
    assert [kind or code for kind, code in said] == [
        "torch.nn.modules.module.Module",
        "dict[str, float]",
        "list[list[tuple[str, float]]]",
        "arg-type",
        "attr-defined",
    ]


@pytest.mark.parametrize("name", ["resnet20", "squeezenet"])
def test_what_is_not_said_is_as_in_the_paper(name: str) -> None:
    about = card(name)
    assert about is not None
    assert count(create_model(name)) == about.parameters


@pytest.mark.slow
@pytest.mark.parametrize("name", stems("model"))
def test_every_network_is_made_by_its_name(name: str) -> None:
    assert count(create_model(name)) > 0


def test_a_network_takes_and_gives_what_was_asked_for() -> None:
    net = create_model("resnet20", num_classes=7, in_channels=2, image_size=28)
    assert net(torch.zeros(3, 2, 28, 28)).shape == (3, 7)


@pytest.mark.parametrize("regularizer", [["none", "batch_norm"], {"norm": "batch"}])
def test_regularizers_are_chosen_by_name_or_by_value(regularizer: Any) -> None:
    norms = [
        m for m in create_model("lenet5", regularizer=regularizer).modules() if isinstance(m, torch.nn.BatchNorm2d)
    ]
    assert len(norms) == 2
    assert not [m for m in create_model("lenet5").modules() if isinstance(m, torch.nn.BatchNorm2d)]


def test_the_seed_alone_draws_the_weights() -> None:
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first, same, other = (create_model("lenet5", seed=seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)
    assert torch.equal(before, torch.random.get_rng_state())


def test_weights_of_a_file_are_loaded(tmp_path: Path) -> None:
    trained = create_model("resnet20", seed=5)
    torch.save(trained.state_dict(), tmp_path / "weights.pt")
    net = create_model("resnet20", weights=tmp_path / "weights.pt")
    assert torch.equal(next(net.parameters()), next(trained.parameters()))


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"name": "resnt20"}, "name=resnt20 is not allowed"),
        ({"name": "resnet20", "widht": 2}, "no model.widht. Did you mean width?"),
        pytest.param({"name": "resnet20", "num_classes": 0}, "num_classes=0", marks=pytest.mark.slow),
        ({"name": "resnet20", "in_channels": "three"}, "in_channels=three: it must be a whole number"),
        pytest.param({"name": "resnet20", "activation": "rlu"}, "Did you mean relu?", marks=pytest.mark.slow),
        ({"name": "resnet20", "regularizer": {"dropout": 2}}, "regularizer.dropout=2"),
        ({"name": "resnet20", "init": object()}, "object is nothing that a configuration holds"),
    ],
)
def test_what_cannot_be_made_is_told(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=re.escape(said)):
        create_model(**keys)


def test_fit_gives_the_result_of_the_folder(fitted: Fitted) -> None:
    assert fitted.metrics == load_run(fitted.folder).metrics
    assert 0 < fitted.metrics["test/accuracy"] <= 1
    assert "lenet5, images 1x32x32" in (fitted.folder / "train.log").read_text()


def test_cnnlab_train_takes_the_same_words_for_the_same_run(
    fitted: Fitted, command: Callable[..., int], capfd: pytest.CaptureFixture[str]
) -> None:
    assert command("train", *TINY, "study=library", f"runs_dir={fitted.folder.parents[1]}") == 0
    assert "This cell was done before" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["optim=adm"], "Did you mean adam?", marks=pytest.mark.slow),
        (["seed=0,1"], "has several values"),
        (["-m"], "neither group=choice"),
        (["hydra.launcher.jobs=2"], "fit trains one run"),
        (["model=[lenet5,vgg11]"], "takes one choice"),
        ([{"optim": {"lr": -1}}], "optim.lr=-1: it must be greater than 0"),
        ([3], "a word as 'optim.lr=0.1' or a mapping"),
    ],
)
def test_what_cannot_be_trained_is_told_and_leaves_nothing(here: Path, words: list[Any], said: str) -> None:
    with pytest.raises(UserError, match=re.escape(said)):
        fit(*words)
    assert not list(here.iterdir())


def test_values_of_a_mapping_stay_as_they_are() -> None:
    texts = ['a"b', "c\\", "x, y", "it's", "=", "", "null", "1", "tab\\t", '\\"', "\\\\", 'd\\\\"e\\']
    values: dict[str, Any] = {
        "a": None,
        "b": True,
        "c": 1,
        "d": 1e-4,
        "e": [1, "two", None],
        "f": {},
        "g": -0.5,
        "h": texts,
    }
    values |= {f"text{number}": text for number, text in enumerate(texts)}
    composed = compose_config(*words_of({f"+note.{key}": value for key, value in values.items()}))
    assert composed["note"] == values


@pytest.mark.parametrize("kind", ["file", "Pillow image", "array", "array with a channel"])
def test_an_image_is_taken_in_every_form(fitted: Fitted, tmp_path: Path, kind: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (12, 15), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    forms: dict[str, Picture] = {"file": tmp_path / "a.png", "Pillow image": Image.fromarray(pixels), "array": pixels}
    run = fitted.load()
    given = run.probabilities([forms.get(kind, pixels[..., None])])
    assert torch.equal(given, run.probabilities([str(tmp_path / "a.png")]))


@pytest.mark.parametrize(
    ("images", "said"),
    [
        ("a.png", "put a single one in a list"),
        (np.zeros((8, 8), np.uint8), "put a single one in a list"),
        ([], "there is none"),
        ([np.zeros((8, 8))], "float64 with shape"),
        ([np.zeros((8, 8, 5), np.uint8)], "uint8 with shape"),
        ([np.zeros((0, 8), np.uint8)], "uint8 with shape"),
        (["nowhere.png"], "nowhere.png cannot be read"),
        ([7], "int: a file, a Pillow image or a NumPy array"),
    ],
)
def test_what_is_no_image_is_told(fitted: Fitted, images: Any, said: str) -> None:
    with pytest.raises(UserError, match=re.escape(said)):
        fitted.load().predict(images)


def test_classes_come_with_their_probabilities_the_likeliest_first(fitted: Fitted) -> None:
    run = fitted.load()
    rows = run.predict(np.zeros((2, 8, 8, 1), np.uint8), top=99)
    shares = [share for _, share in rows[0]]
    assert len(rows) == 2
    assert sorted(name for name, _ in rows[0]) == run.names
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1)


@pytest.mark.slow
@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_examples_run_and_their_comments_are_true(file: Path, here: Path) -> None:
    done = subprocess.run([sys.executable, str(file)], cwd=here, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for expression in re.findall(r"  # (\[[\d, ]+\]|[\d,]+)$", file.read_text(), re.MULTILINE):
        assert expression in done.stdout


def test_there_are_three_examples() -> None:
    assert len(EXAMPLES) == 3
