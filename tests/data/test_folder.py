from pathlib import Path

import pytest
from PIL import Image as Pillow

from cnnlab.data.folder import ImageFolder, class_folders
from cnnlab.data.source import Stage
from cnnlab.errors import UserError


def save(path: Path, red: int = 255) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.new("RGB", (6, 4), (red, 0, 0)).save(path)


def fill(root: Path, **counts: int) -> None:
    for name, count in counts.items():
        for number in range(count):
            save(root / name / f"{number:02}.png")


def source(root: Path, seed: int = 0) -> ImageFolder:
    return ImageFolder(str(root), 3, 0.2, seed, "test", verify=False, on_bad="error")


def labels(root: Path, stage: Stage) -> list[int]:
    data = source(root).read(stage)
    assert data is not None
    return [int(label) for label in data.labels]


def test_the_classes_are_the_sorted_folder_names(tmp_path: Path) -> None:
    fill(tmp_path, dog=1, cat=1, ape=1)
    assert class_folders(str(tmp_path)) == ["ape", "cat", "dog"]


def test_the_classes_are_those_of_the_train_folder_where_there_is_one(tmp_path: Path) -> None:
    fill(tmp_path / "train", dog=1, cat=1)
    fill(tmp_path / "test", dog=1, cat=1)
    assert class_folders(str(tmp_path)) == ["cat", "dog"]


def test_hidden_folders_and_files_are_no_classes(tmp_path: Path) -> None:
    fill(tmp_path, dog=1, cat=1, **{".cache": 1})
    (tmp_path / "readme.txt").touch()
    assert class_folders(str(tmp_path)) == ["cat", "dog"]


@pytest.mark.parametrize("names", [[], ["cat"]])
def test_fewer_than_two_classes_are_an_error_that_names_the_folder(tmp_path: Path, names: list[str]) -> None:
    fill(tmp_path, **dict.fromkeys(names, 1))
    with pytest.raises(UserError, match=f"{tmp_path} holds {len(names)} class"):
        class_folders(str(tmp_path))


def test_a_data_dir_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"datamodule.data_dir={tmp_path}/absent"):
        class_folders(f"{tmp_path}/absent")


@pytest.mark.parametrize(("stage", "expected"), [("train", [0, 0, 1]), ("val", [0, 1]), ("test", [0, 1, 1])])
def test_a_folder_per_stage_is_read(tmp_path: Path, stage: Stage, expected: list[int]) -> None:
    fill(tmp_path / "train", cat=2, dog=1)
    fill(tmp_path / "val", cat=1, dog=1)
    fill(tmp_path / "test", cat=1, dog=2)
    assert labels(tmp_path, stage) == expected


def test_a_data_dir_that_goes_away_in_between_is_named(tmp_path: Path) -> None:
    fill(tmp_path / "photos", dog=1, cat=1)
    images = source(tmp_path / "photos")
    assert images.classes == ("cat", "dog")
    (tmp_path / "photos").rename(tmp_path / "away")
    with pytest.raises(UserError, match="photos cannot be read: No such file or directory"):
        images.prepare()


def test_without_a_val_folder_there_is_no_validation_set(tmp_path: Path) -> None:
    fill(tmp_path / "train", cat=1, dog=1)
    assert source(tmp_path).read("val") is None


def test_train_without_a_test_folder_is_an_error_in_the_test_stage(tmp_path: Path) -> None:
    fill(tmp_path / "train", cat=1, dog=1)
    with pytest.raises(UserError, match=f"{tmp_path} has a train folder but no test folder"):
        source(tmp_path).read("test")


def test_class_folders_alone_are_split_class_by_class(tmp_path: Path) -> None:
    fill(tmp_path, cat=10, dog=5)
    assert labels(tmp_path, "test") == [0, 0, 1]


def test_class_folders_alone_give_every_image_to_train_or_test(tmp_path: Path) -> None:
    fill(tmp_path, cat=10, dog=5)
    assert sorted(labels(tmp_path, "train") + labels(tmp_path, "test")) == [0] * 10 + [1] * 5


def test_the_split_of_class_folders_follows_its_seed(tmp_path: Path) -> None:
    for number in range(20):
        save(tmp_path / "cat" / f"{number:02}.png", red=number)
    fill(tmp_path, dog=20)

    def test_cats(seed: int) -> list[int]:
        data = source(tmp_path, seed).read("test")
        assert data is not None
        return [int(data.images[position][0, 0, 0]) for position in range(4)]

    assert test_cats(0) == test_cats(0) != test_cats(1)


def test_images_in_deeper_folders_and_with_capital_endings_count(tmp_path: Path) -> None:
    fill(tmp_path / "train", cat=1, dog=1)
    save(tmp_path / "train" / "cat" / "more" / "1.JPG")
    assert labels(tmp_path, "train") == [0, 0, 1]


def test_files_that_are_not_images_do_not_count(tmp_path: Path) -> None:
    fill(tmp_path / "train", cat=1, dog=1)
    (tmp_path / "train" / "cat" / "notes.txt").touch()
    assert labels(tmp_path, "train") == [0, 1]


def test_an_empty_class_folder_is_named(tmp_path: Path) -> None:
    fill(tmp_path / "train", cat=1)
    (tmp_path / "train" / "dog").mkdir()
    with pytest.raises(UserError, match=f"{tmp_path}/train/dog holds no images"):
        source(tmp_path).read("train")


@pytest.mark.parametrize("stage", ["val", "test"])
def test_a_class_that_training_lacks_is_named(tmp_path: Path, stage: Stage) -> None:
    fill(tmp_path / "train", cat=1, dog=1)
    fill(tmp_path / stage, cat=1, dog=1, wolf=1)
    with pytest.raises(UserError, match=f"{tmp_path}/{stage} has classes that the training images lack: wolf"):
        source(tmp_path).read(stage)


def test_a_hidden_folder_is_not_an_unknown_class(tmp_path: Path) -> None:
    fill(tmp_path / "train", cat=1, dog=1, **{".ipynb_checkpoints": 1})
    assert labels(tmp_path, "train") == [0, 1]


def test_no_image_is_decoded_before_it_is_asked_for(tmp_path: Path) -> None:
    fill(tmp_path / "train", cat=1, dog=1)
    (tmp_path / "train" / "cat" / "00.png").write_bytes(b"broken")
    assert labels(tmp_path, "train") == [0, 1]
