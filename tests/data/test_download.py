import hashlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from cnnlab.data.cifar import Cifar10
from cnnlab.data.download import INCOMING, LOCK, Downloads, find
from cnnlab.data.idx import FashionMnist, Mnist
from cnnlab.errors import UserError

CONTENT = b"some images"
MD5 = hashlib.md5(CONTENT).hexdigest()


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


@pytest.fixture
def counted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[str]]]:
    """A slow server of `images`, and the paths that it was asked for."""
    folder = tmp_path_factory.mktemp("counted")
    (folder / "images").write_bytes(CONTENT)
    asked: list[str] = []

    class Counting(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            time.sleep(0.3)
            super().do_GET()

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Counting, directory=folder)) as server:
        thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.01))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def fetch(name: str, md5: str, mirrors: list[str], folder: Path, hint: str, allowed: bool = True) -> Path:
    return Downloads(folder, mirrors, allowed, hint).fetch(name, md5)


def test_a_file_is_fetched_into_a_folder_that_is_made(tmp_path: Path, mirror: str) -> None:
    path = fetch("images", MD5, [mirror], tmp_path / "new", "")
    assert (path, path.read_bytes()) == (tmp_path / "new" / "images", CONTENT)


def test_the_next_mirror_is_asked_when_one_does_not_answer(tmp_path: Path, nobody: str, mirror: str) -> None:
    assert fetch("images", MD5, [nobody, mirror], tmp_path, "").is_file()


def test_the_next_mirror_is_asked_when_one_lacks_the_file(tmp_path: Path, mirror: str) -> None:
    assert fetch("images", MD5, [mirror + "elsewhere", mirror], tmp_path, "").is_file()


def test_a_file_that_is_there_is_not_fetched_again(tmp_path: Path, nobody: str) -> None:
    (tmp_path / "images").write_bytes(CONTENT)
    assert fetch("images", MD5, [nobody], tmp_path, "") == tmp_path / "images"


def test_a_file_with_another_hash_is_an_error(tmp_path: Path, mirror: str) -> None:
    with pytest.raises(UserError, match="images"):
        fetch("images", "0" * 32, [mirror], tmp_path, "")


def test_a_file_with_another_hash_is_not_kept(tmp_path: Path, mirror: str) -> None:
    with pytest.raises(UserError):
        fetch("images", "0" * 32, [mirror], tmp_path, "")
    assert {path.name for path in tmp_path.iterdir()} <= {LOCK}


def test_an_unreachable_mirror_is_an_error_that_says_where_to_put_the_file(tmp_path: Path, nobody: str) -> None:
    with pytest.raises(UserError, match=f"images.*{nobody}.*{tmp_path}, or ask a friend"):
        fetch("images", MD5, [nobody], tmp_path, ", or ask a friend")


def test_every_mirror_that_failed_is_named(tmp_path: Path, nobody: str, mirror: str) -> None:
    with pytest.raises(UserError, match=f"{nobody}images .* or {mirror}b/images "):
        fetch("images", MD5, [nobody, mirror + "b"], tmp_path, "")


def test_unreachable_mirrors_fail_within_seconds(tmp_path: Path, nobody: str) -> None:
    start = time.monotonic()
    with pytest.raises(UserError):
        fetch("images", MD5, [nobody, nobody, nobody], tmp_path, "")
    assert time.monotonic() - start < 10


def test_fashion_mnist_names_the_debian_package_when_it_cannot_be_downloaded(tmp_path: Path, nobody: str) -> None:
    class Unreachable(FashionMnist):
        known_mirrors: ClassVar = [nobody]
        elsewhere: ClassVar = []

    with pytest.raises(UserError, match=f"{tmp_path}.*apt-get install dataset-fashion-mnist"):
        Unreachable(str(tmp_path), True, []).prepare()


def test_what_a_killed_process_left_behind_is_cleared_away(tmp_path: Path, mirror: str) -> None:
    (tmp_path / INCOMING).mkdir()
    (tmp_path / INCOMING / "tmp1234").write_bytes(CONTENT[:4])
    fetch("images", MD5, [mirror], tmp_path, "")
    assert {path.name for path in tmp_path.iterdir()} <= {"images", LOCK}


def test_without_leave_nothing_is_asked_and_the_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"images is not there, and datamodule.download=false. Put it into {tmp_path}"):
        fetch("images", MD5, [], tmp_path, "", allowed=False)
    assert list(tmp_path.iterdir()) == []


def test_processes_that_want_a_file_at_once_fetch_it_once(tmp_path: Path, counted: tuple[str, list[str]]) -> None:
    address, asked = counted
    code = (
        "import sys; from pathlib import Path; from cnnlab.data.download import Downloads\n"
        f"Downloads(Path(sys.argv[1]), [{address!r}], True, '').fetch('images', {MD5!r})"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(4)]
    assert [process.wait(60) for process in running] == [0, 0, 0, 0]
    assert asked == ["/images"]


@pytest.mark.parametrize("stem", ["fashion_mnist", "mnist", "cifar10", "cifar100"])
def test_a_run_offline_with_nothing_on_disk_says_what_to_put_where(
    stem: str, command: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FashionMnist, "elsewhere", [])
    assert command("train", f"datamodule={stem}", "datamodule.download=false", "debug=fast") == 1
    said = capsys.readouterr().err
    folder = {"fashion_mnist": "fashion-mnist"}.get(stem, stem)
    assert f"datamodule.download=false. Put it into data/{folder}" in said
    assert ("apt-get install dataset-fashion-mnist" in said) == (stem == "fashion_mnist")


def test_mirrors_of_the_users_are_asked_first(
    counted: tuple[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, asked = counted
    monkeypatch.setattr(Mnist, "md5", dict.fromkeys(["images"], MD5))
    monkeypatch.setattr(Mnist, "sha256", {"images": hashlib.sha256(CONTENT).hexdigest()})
    Mnist(str(tmp_path), True, [address]).prepare()
    assert asked == ["/images"]


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path, mirror: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=str(tmp_path / "file")):
        fetch("images", MD5, [mirror], tmp_path / "file", "")


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
