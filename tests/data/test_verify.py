import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from cnnlab.data import verify
from cnnlab.data.folder import ImageFolder
from cnnlab.data.verify import Verified
from cnnlab.errors import UserError


@pytest.fixture(autouse=True)
def memory(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of this test's own."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("CNNLAB_CACHE", str(folder))
    return folder


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were decoded for a look."""
    seen: list[Path] = []
    look = verify.look

    def noting(path: Path) -> verify.Finding:
        seen.append(path)
        return look(path)

    monkeypatch.setattr(verify, "look", noting)
    return seen


def save(path: Path, mode: str = "RGB") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(len(str(path))).integers(0, 256, (20, 30, 3), np.uint8)
    Pillow.fromarray(noise).convert(mode).save(path)
    return path


def photos(root: Path, count: int = 6) -> None:
    for label in ("cat", "dog"):
        for number in range(count):
            save(root / label / f"{number}.jpg")


def folder(root: Path, on_bad: str = "error", check: bool = True) -> ImageFolder:
    return ImageFolder(str(root), 3, 0.5, 0, "test", verify=check, on_bad=on_bad)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def test_a_file_is_looked_at_once(tmp_path: Path, decoded: list[Path]) -> None:
    photos(tmp_path)
    folder(tmp_path).prepare()
    folder(tmp_path).prepare()
    assert len(decoded) == 12


def test_a_file_that_changed_is_looked_at_again(tmp_path: Path, decoded: list[Path]) -> None:
    photos(tmp_path)
    folder(tmp_path).prepare()
    decoded.clear()
    changed = tmp_path / "cat" / "3.jpg"
    os.utime(changed, ns=(0, 12345))
    folder(tmp_path).prepare()
    assert decoded == [changed]


def test_a_new_file_is_looked_at(tmp_path: Path, decoded: list[Path]) -> None:
    photos(tmp_path)
    folder(tmp_path).prepare()
    decoded.clear()
    new = save(tmp_path / "dog" / "new.png")
    folder(tmp_path).prepare()
    assert decoded == [new]


def test_what_was_seen_before_a_stop_is_remembered(
    tmp_path: Path, decoded: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    photos(tmp_path)
    noting = verify.look

    def stopped(path: Path) -> verify.Finding:
        if path.name == "5.jpg" and path.parent.name == "dog":
            raise KeyboardInterrupt
        return noting(path)

    monkeypatch.setattr(verify, "look", stopped)
    with pytest.raises(KeyboardInterrupt):
        folder(tmp_path).prepare()
    monkeypatch.setattr(verify, "look", noting)
    decoded.clear()
    folder(tmp_path).prepare()
    assert decoded == [tmp_path / "dog" / "5.jpg"]


@pytest.mark.parametrize("content", [b"", b"junk", b'"a,b\n1', b"\xff\xfe\x00"])
def test_a_memory_that_is_not_whole_is_made_anew(tmp_path: Path, memory: Path, content: bytes) -> None:
    photos(tmp_path)
    folder(tmp_path).prepare()
    (file,) = (memory / "verified").iterdir()
    whole = file.read_bytes()
    file.write_bytes(content)
    folder(tmp_path).prepare()
    assert sorted(file.read_bytes().splitlines()) == sorted(whole.splitlines())


def test_a_cache_that_cannot_be_written_is_told_and_nothing_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("CNNLAB_CACHE", str(tmp_path / "file"))
    photos(tmp_path / "photos")
    folder(tmp_path / "photos").prepare()
    assert "looked at again next time" in caplog.text


def bad(path: Path, kind: str) -> None:
    if kind == "truncated":
        truncate(path)
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "no image":
        path.write_bytes(b"<html>404</html>")
    else:
        raw = bytearray(path.read_bytes())
        raw[2:40] = bytes(38)
        path.write_bytes(raw)


def test_a_file_that_could_not_be_read_is_no_bad_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photos(tmp_path)
    read = Path.read_bytes

    def once(path: Path) -> bytes:
        if path.name == "3.jpg":
            raise OSError(24, "Too many open files", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", once)
    with pytest.raises(UserError, match=r"cat/3.jpg cannot be read: Too many open files"):
        folder(tmp_path, on_bad="skip").prepare()
    monkeypatch.setattr(Path, "read_bytes", read)
    folder(tmp_path).prepare()


def test_a_link_to_nowhere_is_a_bad_file(tmp_path: Path) -> None:
    photos(tmp_path)
    (tmp_path / "cat" / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    with pytest.raises(UserError, match=r"(?s)1 of 13 files.*cat/gone.jpg: it is not there"):
        folder(tmp_path).prepare()


def test_a_loop_of_links_does_not_multiply_files(tmp_path: Path) -> None:
    photos(tmp_path)
    (tmp_path / "cat" / "loop").symlink_to(tmp_path / "cat")
    data = [folder(tmp_path).read(stage) for stage in ("train", "test")]
    assert sum(len(part) for part in data if part) == 12


def test_files_with_other_endings_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    photos(tmp_path)
    (tmp_path / "cat" / "raw.heic").touch()
    with caplog.at_level("INFO"):
        folder(tmp_path).prepare()
    assert f"{tmp_path}/cat: 1 files with other endings are ignored" in caplog.text


def test_a_class_of_which_nothing_is_left_is_named(tmp_path: Path) -> None:
    photos(tmp_path)
    for path in (tmp_path / "dog").iterdir():
        truncate(path)
    source = folder(tmp_path, on_bad="skip")
    source.prepare()
    with pytest.raises(UserError, match="no file of class dog is a whole image"):
        source.read("train")


BAD = pytest.mark.parametrize("kind", ["truncated", "empty", "no image", "corrupt"])


@BAD
def test_a_bad_file_is_an_error_that_names_it_and_says_what_to_do(tmp_path: Path, kind: str) -> None:
    photos(tmp_path)
    bad(tmp_path / "dog" / "2.jpg", kind)
    with pytest.raises(UserError, match=r"(?s)1 of 12 files.*dog/2.jpg: .*datamodule.on_bad=skip"):
        folder(tmp_path).prepare()


@BAD
def test_a_bad_file_can_be_left_out(tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    photos(tmp_path)
    bad(tmp_path / "dog" / "2.jpg", kind)
    source = folder(tmp_path, on_bad="skip")
    source.prepare()
    train, test = source.read("train"), source.read("test")
    assert train is not None
    assert test is not None
    assert len(train) + len(test) == 11
    assert train.skipped == (str(tmp_path / "dog" / "2.jpg"),)
    assert [data.images[n].shape for data in (train, test) for n in range(len(data))] == [(20, 30, 3)] * 11
    assert "dog/2.jpg" in caplog.text


def test_of_many_bad_files_the_first_are_named(tmp_path: Path) -> None:
    photos(tmp_path, count=9)
    for path in tmp_path.rglob("*.jpg"):
        path.write_bytes(b"")
    with pytest.raises(UserError, match=r"18 of 18 files are not whole images(.*\n){6}.*and 13 more"):
        folder(tmp_path).prepare()


def test_odd_files_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    photos(tmp_path)
    save(tmp_path / "cat" / "grey.jpg", "L")
    save(tmp_path / "cat" / "print.jpg", "CMYK")
    with caplog.at_level("INFO"):
        folder(tmp_path).prepare()
    assert "1 of 14 files: grey" in caplog.text
    assert "1 of 14 files: CMYK" in caplog.text


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photos(tmp_path)
    scandir = os.scandir

    def refusing(path: str) -> object:
        if str(path).endswith("dog"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(UserError, match=f"{tmp_path}/dog cannot be read: Permission denied"):
        folder(tmp_path).prepare()


def test_file_names_of_any_bytes_are_remembered(tmp_path: Path, decoded: list[Path]) -> None:
    names = ["ä ö.jpg", 'a,b"c.jpg', "日本.jpg", os.fsdecode(b"\xff.jpg")]
    paths = [save(tmp_path / "ape" / name) for name in names]
    Verified(tmp_path).look_at(paths)
    Verified(tmp_path).look_at(paths)
    assert len(decoded) == 4


def test_without_a_look_a_bad_file_is_named_when_its_turn_comes(tmp_path: Path) -> None:
    photos(tmp_path)
    truncate(tmp_path / "dog" / "0.jpg")
    source = folder(tmp_path, check=False)
    source.prepare()
    images = [data.images for stage in ("train", "test") if (data := source.read(stage))]
    with pytest.raises(UserError, match=r"dog/0.jpg is not a whole image"):
        [each[n] for each in images for n in range(len(each))]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_names_the_bad_file_and_fails(
    command: Callable[..., int], here: Path, capsys: pytest.CaptureFixture[str], workers: int
) -> None:
    photos(here / "photos", count=20)
    truncate(here / "photos" / "dog" / "7.jpg")
    words = ["datamodule=image_folder", "datamodule.data_dir=photos", "datamodule.image_size=32", "callbacks=quiet"]
    words += ["datamodule.batch_size=4", "trainer.max_epochs=1", f"datamodule.num_workers={workers}"]
    assert command("train", *words) == 1
    assert "photos/dog/7.jpg" in capsys.readouterr().err
    assert command("train", *words, "datamodule.verify=false", "datamodule.feed=workers") == 1
    assert "cnnlab: photos/dog/7.jpg is not a whole image" in capsys.readouterr().err
    assert command("train", *words, "datamodule.on_bad=skip", "study=skipped") == 0
