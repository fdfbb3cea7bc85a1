from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from cnnlab.data.class_csv import ClassCsv, csv_classes
from cnnlab.errors import UserError


def table(folder: Path, text: str) -> str:
    path = folder / "labels.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def source(folder: Path, text: str, split_column: str | None = None) -> ClassCsv:
    file = table(folder, text)
    return ClassCsv(str(folder), file, "path", "class", split_column, 3, 0.2, 0, verify=False, on_bad="error")


def photos(folder: Path, *names: str) -> None:
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Pillow.new("RGB", (40, 40), (10 * number, 0, 0)).save(folder / name)


SPLIT = "path,class,part\na.png,dog,train\nb.png,cat,train\nc.png,dog,val\nd.png,cat,test\ne.png,dog,test\n"


def test_rows_belong_to_the_part_that_a_column_tells(tmp_path: Path) -> None:
    photos(tmp_path, *(f"{letter}.png" for letter in "abcde"))
    data = source(tmp_path, SPLIT, "part")
    data.prepare()
    read = {stage: data.read(stage) for stage in ("train", "val", "test")}
    assert {stage: images and images.labels.tolist() for stage, images in read.items()} == {
        "train": [1, 0],
        "val": [1],
        "test": [0, 1],
    }
    assert read["test"] is not None
    assert [int(read["test"].images[n][0, 0, 0]) for n in range(2)] == [30, 40]


def test_without_such_a_column_a_share_of_each_class_is_tested(tmp_path: Path) -> None:
    rows = [f"{name}{n}.png,{name}" for name in ("cat", "dog") for n in range(10)]
    photos(tmp_path, *(row.split(",")[0] for row in rows))
    data = source(tmp_path, "path,class\n" + "\n".join(rows))
    train, val, test = (data.read(stage) for stage in ("train", "val", "test"))
    assert val is None
    assert train is not None
    assert test is not None
    assert (np.bincount(train.labels).tolist(), np.bincount(test.labels).tolist()) == ([8, 8], [2, 2])


@pytest.mark.parametrize(
    ("words", "classes"),
    [(["dog", "ape"], ("ape", "dog")), (["10", "9", "0"], ("0", "9", "10")), (["10", "9", "x"], ("10", "9", "x"))],
)
def test_classes_are_in_the_order_of_words_or_of_numbers(
    tmp_path: Path, words: list[str], classes: tuple[str, ...]
) -> None:
    assert source(tmp_path, "path,class\n" + "\n".join(f"a,{word}" for word in words)).classes == classes


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file,class\na,b\n", r"has no column path. Its columns: file, class"),
        ("", r"has no column path, class. Its columns: none"),
        ("path,class\na.png,\n", r"line 2: class is empty"),
        ("path,class\na.png\n", r"line 2: class is empty"),
        ("path,class\na.png,dog\n", r"tells 1 class\(es\) in its column class; at least two are needed"),
    ],
)
def test_a_table_that_is_not_as_it_should_be_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as error:
        assert source(tmp_path, text).classes
    assert str(tmp_path / "labels.csv") in str(error.value)


def test_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"{tmp_path}/labels.csv cannot be read"):
        csv_classes(str(tmp_path / "labels.csv"), "path", "class", None)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    photos(tmp_path, "a.png")
    with pytest.raises(UserError, match=rf"names 1 file\(s\) that are not there, the first: {tmp_path}/b.png"):
        source(tmp_path, "path,class\na.png,cat\nb.png,dog\n").prepare()


def test_a_file_that_occurs_twice_is_named(tmp_path: Path) -> None:
    photos(tmp_path, "a.png", "b.png")
    text = "path,class,part\na.png,cat,train\nb.png,dog,train\n./a.png,cat,test\n"
    with pytest.raises(UserError, match=r"names .*a.png twice, in its rows 1 and 3"):
        source(tmp_path, text, "part").prepare()


def test_a_class_that_training_lacks_is_named(tmp_path: Path) -> None:
    photos(tmp_path, "a.png", "b.png", "c.png")
    text = "path,class,part\na.png,cat,train\nb.png,dog,train\nc.png,ape,test\n"
    with pytest.raises(UserError, match="has classes that its training rows lack: ape"):
        source(tmp_path, text, "part").prepare()


def test_a_part_of_another_name_is_named(tmp_path: Path) -> None:
    photos(tmp_path, "a.png", "b.png")
    with pytest.raises(UserError, match="part is holdout; it must be train, val or test"):
        source(tmp_path, "path,class,part\na.png,cat,train\nb.png,dog,holdout\n", "part").prepare()


def test_a_table_is_trained_on(command: Callable[..., int], here: Path) -> None:
    rows = [f"{name}/{n}.png,{name}" for name in ("cat", "dog") for n in range(12)]
    photos(here / "pets", *(row.split(",")[0] for row in rows))
    table(here / "pets", "path,class\n" + "\n".join(rows))
    words = ["datamodule=class_csv", "datamodule.data_dir=pets", "datamodule.image_size=32", "callbacks=quiet"]
    assert command("train", *words, "datamodule.batch_size=4", "trainer.max_epochs=1") == 0


@pytest.mark.slow
def test_a_grey_table_is_trained_on(command: Callable[..., int], here: Path) -> None:
    rows = [f"{name}/{n}.png,{name}" for name in ("cat", "dog") for n in range(12)]
    photos(here / "pets", *(row.split(",")[0] for row in rows))
    table(here / "pets", "path,class\n" + "\n".join(rows))
    words = ["datamodule=class_csv", "datamodule.data_dir=pets", "datamodule.image_size=32", "callbacks=quiet"]
    words += ["datamodule.in_channels=1", "datamodule.mean=[0.5]", "datamodule.std=[0.5]"]
    assert command("train", *words, "datamodule.batch_size=4", "trainer.max_epochs=1") == 0
