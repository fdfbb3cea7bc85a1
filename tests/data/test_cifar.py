import gzip
import hashlib
import io
import tarfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cnnlab.data.cifar import SUMS, Cifar, Cifar10, Cifar100
from cnnlab.errors import UserError

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), np.uint8)
KINDS = pytest.mark.parametrize("kind", [Cifar10, Cifar100])


def record(image: NDArray[np.uint8], *labels: int) -> bytes:
    return bytes(labels) + image[..., 0].tobytes() + image[..., 1].tobytes() + image[..., 2].tobytes()


def contents(kind: type[Cifar]) -> dict[str, bytes]:
    """One image a file: image n with the label n, after the coarse label 9 where there is one."""
    files = [*kind.members["train"], *kind.members["test"]]
    coarse = [9] * (kind.label_bytes - 1)
    records = {name: record(IMAGES[n], *coarse, n) for n, name in enumerate(files)}
    return records | {kind.names: b"airplane\nautomobile\nbird\ncat\ndeer\ndog\n\n"}


def pack(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def prepared(kind: type[Cifar], folder: Path) -> Cifar:
    pack(folder / kind.archive, {f"batches/{name}": content for name, content in contents(kind).items()})
    source = known(kind, folder)
    source.prepare()
    return source


def known(kind: type[Cifar], folder: Path) -> Cifar:
    """A data set whose archive is the one that is there."""
    md5 = hashlib.md5((folder / kind.archive).read_bytes()).hexdigest()
    source: Cifar = type("Known", (kind,), {"md5": md5})(str(folder), True, [])
    return source


@pytest.mark.parametrize(("kind", "count"), [(Cifar10, 5), (Cifar100, 1)])
def test_all_training_files_are_read_in_order(tmp_path: Path, kind: type[Cifar], count: int) -> None:
    data = prepared(kind, tmp_path).read("train")
    assert data is not None
    assert np.array_equal(np.asarray(data.images), IMAGES[:count])
    assert data.labels.tolist() == list(range(count))


@pytest.mark.parametrize(("kind", "number"), [(Cifar10, 5), (Cifar100, 1)])
def test_the_test_file_holds_the_test_images(tmp_path: Path, kind: type[Cifar], number: int) -> None:
    data = prepared(kind, tmp_path).read("test")
    assert data is not None
    assert np.array_equal(data.images[0], IMAGES[number])
    assert data.labels.dtype == np.int64
    assert data.labels.tolist() == [number]


def test_cifar100_takes_the_fine_label(tmp_path: Path) -> None:
    (tmp_path / "test.bin").write_bytes(record(IMAGES[0], 19, 99) + record(IMAGES[1], 3, 42))
    data = Cifar100(str(tmp_path), True, []).read("test")
    assert data is not None
    assert data.labels.tolist() == [99, 42]


@KINDS
def test_there_is_no_validation_set(tmp_path: Path, kind: type[Cifar]) -> None:
    assert kind(str(tmp_path), True, []).read("val") is None


def test_the_classes_are_those_that_come_with_the_data(tmp_path: Path) -> None:
    assert prepared(Cifar10, tmp_path).classes == ("airplane", "automobile", "bird", "cat", "deer", "dog")


@KINDS
def test_unpacked_files_need_no_archive(tmp_path: Path, kind: type[Cifar]) -> None:
    source = prepared(kind, tmp_path)
    (tmp_path / kind.archive).unlink()
    source.prepare()
    assert source.read("train") is not None


def test_an_archive_with_another_hash_is_named(tmp_path: Path) -> None:
    archive = pack(tmp_path / Cifar10.archive, contents(Cifar10))
    with pytest.raises(UserError, match=f"{archive} is not the file known as"):
        Cifar10(str(tmp_path), True, []).prepare()


@KINDS
def test_files_that_someone_else_unpacked_have_the_known_sizes(tmp_path: Path, kind: type[Cifar]) -> None:
    source = prepared(kind, tmp_path)
    (tmp_path / SUMS).write_text("no sums")
    with pytest.raises(UserError, match=rf"{tmp_path}/\w+.bin has 3,07\d bytes, not \d+,\d+,\d+. Delete it"):
        source.prepare()


def test_an_unpacked_file_that_changed_is_named(tmp_path: Path) -> None:
    source = prepared(Cifar10, tmp_path)
    (tmp_path / "data_batch_2.bin").write_bytes(record(IMAGES[3], 1))
    with pytest.raises(UserError, match=f"{tmp_path}/data_batch_2.bin is not the file known as"):
        source.prepare()


def test_a_deleted_file_is_unpacked_again(tmp_path: Path) -> None:
    source = prepared(Cifar10, tmp_path)
    (tmp_path / "data_batch_3.bin").unlink()
    source.prepare()
    assert (tmp_path / "data_batch_3.bin").read_bytes() == record(IMAGES[2], 2)


@pytest.mark.parametrize("outside", ["../outside.bin", "../data_batch_1.bin", "a/../../test_batch.bin"])
def test_a_member_that_points_outside_is_not_written_there(tmp_path: Path, outside: str) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    pack(folder / Cifar10.archive, contents(Cifar10) | {outside: b"evil"})
    known(Cifar10, folder).prepare()
    assert list(tmp_path.iterdir()) == [folder]


def test_only_wanted_members_are_written(tmp_path: Path) -> None:
    pack(tmp_path / Cifar10.archive, contents(Cifar10) | {"readme.html": b"hello"})
    known(Cifar10, tmp_path).prepare()
    assert {path.name for path in tmp_path.iterdir()} == {*contents(Cifar10), Cifar10.archive, SUMS}


def test_a_link_in_the_archive_is_not_written(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    with tarfile.open(folder / Cifar100.archive, "w:gz") as tar:
        for name, content in contents(Cifar100).items():
            link, member = tarfile.TarInfo(name), tarfile.TarInfo(f"batches/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, f"../{name}"
            member.size = len(content)
            tar.addfile(link)
            tar.addfile(member, io.BytesIO(content))
    known(Cifar100, folder).prepare()
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize("kind", [tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_only_plain_files_come_out_of_an_archive(tmp_path: Path, kind: bytes) -> None:
    folder, outside = tmp_path / "data", tmp_path / "outside.txt"
    folder.mkdir()
    outside.write_text("untouched")
    with tarfile.open(folder / Cifar10.archive, "w:gz") as tar:
        for name, content in contents(Cifar10).items():
            odd, member = tarfile.TarInfo(f"a/{name}"), tarfile.TarInfo(f"/etc/{name}")
            odd.type, odd.linkname = kind, str(outside)
            member.size = len(content)
            tar.addfile(odd)
            tar.addfile(member, io.BytesIO(content))
    known(Cifar10, folder).prepare()
    assert outside.read_text() == "untouched"
    assert {path.name for path in folder.iterdir()} == {*contents(Cifar10), Cifar10.archive, SUMS}
    assert all(path.is_file() and not path.is_symlink() for path in folder.iterdir())


@pytest.mark.parametrize(
    "raw",
    [b"", record(IMAGES[0], 1)[:-1], record(IMAGES[0], 1) + b"\0"],
    ids=["empty", "a byte too short", "a byte too long"],
)
def test_a_file_of_incomplete_records_is_named(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "test_batch.bin").write_bytes(raw)
    with pytest.raises(UserError, match=str(tmp_path / "test_batch.bin")):
        Cifar10(str(tmp_path), True, []).read("test")


def test_an_archive_without_a_wanted_file_is_named(tmp_path: Path) -> None:
    files = contents(Cifar10)
    del files["data_batch_4.bin"]
    archive = pack(tmp_path / Cifar10.archive, files)
    with pytest.raises(UserError, match=str(archive)):
        known(Cifar10, tmp_path).prepare()


def damaged(packed: bytes, how: str) -> bytes:
    if how == "no archive":
        return b"<html>not found</html>"
    if how == "truncated":
        return packed[: len(packed) // 2]
    if how == "a header overwritten":
        tar = gzip.decompress(packed)
        return gzip.compress(tar[:4096] + b"\xff" * (len(tar) - 4096))
    deflate = zlib.compressobj(wbits=31)
    return deflate.compress(gzip.decompress(packed)[:300_000]) + deflate.flush(zlib.Z_SYNC_FLUSH) + b"\xff" * 5000


@pytest.mark.parametrize("how", ["no archive", "truncated", "a header overwritten", "compressed data overwritten"])
def test_a_damaged_archive_is_named(tmp_path: Path, how: str) -> None:
    archive = pack(tmp_path / Cifar10.archive, contents(Cifar10) | {"data_batch_1.bin": bytes(10**6)})
    archive.write_bytes(damaged(archive.read_bytes(), how))
    with pytest.raises(UserError, match=str(archive)):
        known(Cifar10, tmp_path).prepare()
