"""`cnnlab predict`: image files to rows."""

import csv
import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cnnlab.data.digits import Digits
from cnnlab.errors import UserError
from cnnlab.inference.predict import images_of, predict, predictions
from cnnlab.inference.trained import Trained, load_run
from cnnlab.launch.cell import train_cell
from conftest import compose_config


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study") / "run"
    train_cell(compose_config("trainer.max_epochs=2", "optim.lr=0.01", "callbacks=quiet"), folder, [])
    return folder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """The first test images of the digits, by number, as PNG."""
    test = Digits(test_fraction=0.2, test_seed=0).read("test")
    assert test
    for place in range(12):
        file = tmp_path / "photos" / f"set{place % 2}" / f"{place:02}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(test.images[place][..., 0]).save(file)
    return tmp_path / "photos"


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_files_get_what_the_test_gave_the_same_images(run: Path, photos: Path, tmp_path: Path) -> None:
    predict([f"run={run}", f"input={photos}", f"output={tmp_path / 'out.csv'}", "top=10", "batch_size=5"])
    with np.load(run / "predictions.npz") as saved:
        expected = saved["probabilities"]
    found = rows(tmp_path / "out.csv")
    assert [Path(row["file"]).name for row in found] == [f"{n:02}.png" for n in (*range(0, 12, 2), *range(1, 12, 2))]
    for row in found:
        told = {row[f"class_{n}"]: float(row[f"probability_{n}"]) for n in range(1, 11)}
        of_test = expected[int(Path(row["file"]).stem)]
        assert [told[str(label)] for label in range(10)] == pytest.approx(of_test.tolist(), abs=1e-4)


def test_the_likeliest_class_comes_first_in_every_kind_of_file(run: Path, photos: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    for ending in ("csv", "jsonl", "parquet"):
        predict([f"run={run}", f"input={photos}/set0", f"output={tmp_path / f'out.{ending}'}", "top=2"])
    of_csv = [row["class_1"] for row in rows(tmp_path / "out.csv")]
    of_lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    of_parquet = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert of_csv == [row["class_1"] for row in of_lines] == [row["class_1"] for row in of_parquet]
    assert all(row["probability_1"] >= row["probability_2"] for row in of_lines)


def test_unreadable_files_are_named_at_the_end_with_exit_code_2(
    run: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "set0" / "broken.png").write_bytes(b"\x89PNG")
    (photos / "set0" / "empty.jpg").touch()
    words = [f"run={run}", f"input={photos}", f"output={tmp_path / 'out.csv'}"]
    with pytest.raises(SystemExit) as stopped:
        predict(words)
    assert stopped.value.code == 2
    said = capsys.readouterr().out
    assert "2 files could not be read and are left out" in said
    assert "broken.png" in said
    assert len(rows(tmp_path / "out.csv")) == 12
    predict([*words, "on_bad=skip"])


def test_a_single_file_and_a_pattern_are_inputs(run: Path, photos: Path, tmp_path: Path) -> None:
    for number, text in ((1, f"{photos}/set0/00.png"), (6, f"{photos}/set1/*.png")):
        predict([f"run={run}", f"input={text}", f"output={tmp_path / 'out.csv'}"])
        assert len(rows(tmp_path / "out.csv")) == number


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_files(run: Path, photos: Path) -> None:
    trained: Trained = load_run(run)
    file = next(images_of(str(photos)))

    def peak(count: int) -> int:
        tracemalloc.start()
        for _, said in predictions(trained, (file for _ in range(count)), 32):
            assert isinstance(said, torch.Tensor)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(64)
    assert peak(4096) < 1.5 * peak(256)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["input=x"], "of which run"),
        (["run={0}"], "predict: of what"),
        (["run={0}", "input=nothing"], "there is no such file or folder"),
        (["run={0}", "input={0}"], "there is no image"),
        (["run={0}", "input={0}", "output=x.xls"], "output=xls"),
        (["run={0}", "input={0}", "top=0"], "top=0: it must be a whole number"),
        (["run={0}", "input={0}", "datamodule=digits"], "there is no such key"),
    ],
)
def test_what_cannot_be_done_is_said(run: Path, words: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        predict([word.format(run) for word in words])
