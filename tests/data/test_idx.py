import gzip
import hashlib
import os
import struct
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from cnnlab.data.idx import FashionMnist, Idx, Mnist, read_idx, unpacked
from cnnlab.data.source import Stage
from cnnlab.errors import UserError

IMAGES = np.arange(3 * 28 * 28, dtype=np.int64).reshape(3, 28, 28).astype(np.uint8)
INSTALLED = Path("/usr/share/datasets/fashion-mnist")
installed = pytest.mark.skipif(not INSTALLED.is_dir(), reason=f"Debian's dataset-fashion-mnist is not in {INSTALLED}")


class Letters(Idx):
    """Files in data_dir only."""

    classes = ("a", "b", "c")
    known_mirrors: ClassVar = []
    md5: ClassVar = Mnist.md5


def idx(array: NDArray[np.uint8]) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def write(folder: Path, prefix: str, images: NDArray[np.uint8], labels: list[int]) -> None:
    (folder / f"{prefix}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
    (folder / f"{prefix}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(np.array(labels, np.uint8))))


def test_a_raw_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "images").write_bytes(idx(IMAGES))
    assert np.array_equal(read_idx(tmp_path / "images"), IMAGES)


def test_a_gzipped_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "images.gz").write_bytes(gzip.compress(idx(IMAGES)))
    assert np.array_equal(read_idx(tmp_path / "images.gz"), IMAGES)


def test_what_was_unpacked_is_kept_until_the_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "images.gz"
    file.write_bytes(gzip.compress(idx(IMAGES)))
    read_idx(file)
    with monkeypatch.context() as without:
        without.setattr(gzip, "decompress", None)
        assert np.array_equal(read_idx(file), IMAGES)
    file.write_bytes(gzip.compress(idx(255 - IMAGES)))
    os.utime(file, (1, 1))
    assert np.array_equal(read_idx(file), 255 - IMAGES)


def test_a_cache_that_takes_nothing_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache").write_text("no folder")
    monkeypatch.setenv("CNNLAB_CACHE", str(tmp_path / "cache"))
    (tmp_path / "images.gz").write_bytes(gzip.compress(idx(IMAGES)))
    assert np.array_equal(read_idx(tmp_path / "images.gz"), IMAGES)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\0\0", id="two bytes"),
        pytest.param(b"<html>not found</html>", id="a web page"),
        pytest.param(b"\0\0\x0d\1" + b"\0\0\0\1" + b"\0\0\0\0", id="floats"),
        pytest.param(idx(IMAGES)[:-1], id="a byte too short"),
        pytest.param(idx(IMAGES) + b"\0", id="a byte too long"),
        pytest.param(idx(IMAGES)[:12], id="sizes cut off"),
        pytest.param(idx(IMAGES)[:10], id="sizes cut off within a number"),
    ],
)
def test_a_file_that_is_not_idx_is_named(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "images"
    path.write_bytes(raw)
    with pytest.raises(UserError, match=str(path)):
        read_idx(path)


@pytest.mark.parametrize(
    "packed",
    [
        pytest.param(b"not gzip", id="not gzip"),
        pytest.param(gzip.compress(idx(IMAGES))[:-20], id="truncated"),
        pytest.param(gzip.compress(idx(IMAGES))[:10] + b"\xff" * 50, id="corrupt within"),
        pytest.param(gzip.compress(idx(IMAGES))[:-8] + b"\0" * 8, id="wrong checksum"),
    ],
)
def test_a_damaged_gzip_file_is_named(tmp_path: Path, packed: bytes) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(packed)
    with pytest.raises(UserError, match=str(path)):
        read_idx(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=str(tmp_path / "images")):
        read_idx(tmp_path / "images")


@pytest.mark.parametrize(("stage", "prefix"), [("train", "train"), ("test", "t10k")])
def test_images_and_labels_belong_to_the_stage(tmp_path: Path, stage: Stage, prefix: str) -> None:
    write(tmp_path, prefix, IMAGES, [2, 0, 1])
    data = Letters(str(tmp_path), True, []).read(stage)
    assert data is not None
    assert np.array_equal(np.asarray(data.images), IMAGES[..., None])
    assert data.labels.dtype == np.int64
    assert data.labels.tolist() == [2, 0, 1]


def test_unpacked_files_are_found(tmp_path: Path) -> None:
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(IMAGES))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(np.array([0, 1, 2], np.uint8)))
    data = Letters(str(tmp_path), True, []).read("train")
    assert data is not None
    assert len(data) == 3


def test_a_different_number_of_labels_and_images_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, "train", IMAGES, [0, 1])
    with pytest.raises(UserError, match="do not belong together"):
        Letters(str(tmp_path), True, []).read("train")


def test_there_is_no_validation_set(tmp_path: Path) -> None:
    assert Letters(str(tmp_path), True, []).read("val") is None


def known(folder: Path) -> Letters:
    """A data set that consists of the files that are there."""
    sums = {path.name: hashlib.sha256(unpacked(path)).hexdigest() for path in folder.iterdir()}
    kind = type("Known", (Letters,), {"sha256": sums})
    source: Letters = kind(str(folder), True, [])
    return source


def test_a_file_with_other_content_is_named(tmp_path: Path) -> None:
    write(tmp_path, "train", IMAGES, [0, 1, 2])
    write(tmp_path, "t10k", IMAGES, [0, 1, 2])
    source = known(tmp_path)
    write(tmp_path, "t10k", IMAGES, [0, 1, 1])
    with pytest.raises(UserError, match=f"{tmp_path}/t10k-labels.* is not the file known as Known's t10k-labels"):
        source.prepare()


def test_a_file_is_hashed_once_and_again_when_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "train", IMAGES, [0, 1, 2])
    write(tmp_path, "t10k", IMAGES, [0, 1, 2])
    source = known(tmp_path)
    opened: list[str] = []
    source.prepare()

    def noting(path: Path) -> bytes:
        opened.append(path.name)
        return unpacked(path)

    monkeypatch.setattr("cnnlab.data.idx.unpacked", noting)
    source.prepare()
    assert opened == []
    os.utime(tmp_path / "t10k-labels-idx1-ubyte.gz", ns=(0, 12345))
    source.prepare()
    assert opened == ["t10k-labels-idx1-ubyte.gz"]


def test_how_a_file_is_packed_does_not_matter(tmp_path: Path) -> None:
    write(tmp_path, "train", IMAGES, [0, 1, 2])
    write(tmp_path, "t10k", IMAGES, [0, 1, 2])
    source = known(tmp_path)
    packed = tmp_path / "t10k-labels-idx1-ubyte.gz"
    (tmp_path / packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))
    packed.unlink()
    source.prepare()


def test_nothing_is_downloaded_when_the_files_are_there(tmp_path: Path) -> None:
    write(tmp_path, "train", IMAGES, [0, 1, 2])
    write(tmp_path, "t10k", IMAGES, [0, 1, 2])
    known(tmp_path).prepare()
    assert len(list(tmp_path.iterdir())) == 4


def test_a_missing_file_is_an_error_that_names_the_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=str(tmp_path)):
        Letters(str(tmp_path), True, []).prepare()


@installed
@pytest.mark.parametrize(("stage", "count"), [("train", 60_000), ("test", 10_000)])
def test_fashion_mnist_is_balanced_and_whole(tmp_path: Path, stage: Stage, count: int) -> None:
    source = FashionMnist(str(tmp_path), True, [])
    source.prepare()
    data = source.read(stage)
    assert data is not None
    assert np.asarray(data.images).shape == (count, 28, 28, 1)
    assert np.bincount(data.labels).tolist() == [count // 10] * len(source.classes)


@installed
def test_an_installed_fashion_mnist_is_not_copied(tmp_path: Path) -> None:
    FashionMnist(str(tmp_path), True, []).prepare()
    assert list(tmp_path.iterdir()) == []
