import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from cnnlab.data.cifar import Cifar10
from cnnlab.data.download import download, find
from cnnlab.data.idx import FashionMnist
from cnnlab.errors import UserError

CONTENT = b"some images"
MD5 = f"md5:{hashlib.md5(CONTENT).hexdigest()}"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def nobody() -> str:
    """An address on which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/"


@pytest.fixture
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of one file, `images`."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "images").write_bytes(CONTENT)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=folder)) as server:
        thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.01))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_a_file_is_fetched_into_a_folder_that_is_made(tmp_path: Path, mirror: str) -> None:
    path = download("images", MD5, [mirror + "images"], tmp_path / "new", "")
    assert (path, path.read_bytes()) == (tmp_path / "new" / "images", CONTENT)


def test_the_next_mirror_is_asked_when_one_does_not_answer(tmp_path: Path, nobody: str, mirror: str) -> None:
    assert download("images", MD5, [nobody + "images", mirror + "images"], tmp_path, "").is_file()


def test_the_next_mirror_is_asked_when_one_lacks_the_file(tmp_path: Path, mirror: str) -> None:
    assert download("images", MD5, [mirror + "absent", mirror + "images"], tmp_path, "").is_file()


def test_a_file_that_is_there_is_not_fetched_again(tmp_path: Path, nobody: str) -> None:
    (tmp_path / "images").write_bytes(CONTENT)
    assert download("images", MD5, [nobody + "images"], tmp_path, "") == tmp_path / "images"


def test_a_file_with_another_hash_is_an_error(tmp_path: Path, mirror: str) -> None:
    with pytest.raises(UserError, match="images"):
        download("images", f"md5:{'0' * 32}", [mirror + "images"], tmp_path, "")


def test_a_file_with_another_hash_is_not_kept(tmp_path: Path, mirror: str) -> None:
    with pytest.raises(UserError):
        download("images", f"md5:{'0' * 32}", [mirror + "images"], tmp_path, "")
    assert list(tmp_path.iterdir()) == []


def test_an_unreachable_mirror_is_an_error_that_says_where_to_put_the_file(tmp_path: Path, nobody: str) -> None:
    with pytest.raises(UserError, match=f"images.*{nobody}.*{tmp_path}, or ask a friend"):
        download("images", MD5, [nobody + "images"], tmp_path, ", or ask a friend")


def test_every_mirror_that_failed_is_named(tmp_path: Path, nobody: str, mirror: str) -> None:
    with pytest.raises(UserError, match=f"{nobody}a .* or {mirror}b "):
        download("images", MD5, [nobody + "a", mirror + "b"], tmp_path, "")


def test_unreachable_mirrors_fail_within_seconds(tmp_path: Path, nobody: str) -> None:
    start = time.monotonic()
    with pytest.raises(UserError):
        download("images", MD5, [nobody + "a", nobody + "b", nobody + "c"], tmp_path, "")
    assert time.monotonic() - start < 10


def test_fashion_mnist_names_the_debian_package_when_it_cannot_be_downloaded(tmp_path: Path, nobody: str) -> None:
    class Unreachable(FashionMnist):
        mirrors: ClassVar = [nobody]
        elsewhere: ClassVar = []

    with pytest.raises(UserError, match=f"{tmp_path}.*apt-get install dataset-fashion-mnist"):
        Unreachable(str(tmp_path)).prepare()


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path, mirror: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=str(tmp_path / "file")):
        download("images", MD5, [mirror + "images"], tmp_path / "file", "")


def test_the_first_folder_that_has_the_file_wins(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    (tmp_path / "b" / "images.gz").touch()
    (tmp_path / "c" / "images.gz").touch()
    assert find("images.gz", [tmp_path / "a", tmp_path / "b", tmp_path / "c"]) == tmp_path / "b" / "images.gz"


def test_an_unpacked_file_is_found_too(tmp_path: Path) -> None:
    (tmp_path / "images").touch()
    assert find("images.gz", [tmp_path]) == tmp_path / "images"


def test_a_folder_of_that_name_is_not_the_file(tmp_path: Path) -> None:
    (tmp_path / Cifar10.archive).mkdir()
    assert find(Cifar10.archive, [tmp_path]) is None
