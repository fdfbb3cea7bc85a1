"""`cnnlab serve`, over HTTP."""

import base64
import io
import os
import shutil
import signal
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from served import Served, encoded, serving

from cnnlab.data.digits import Digits
from cnnlab.inference.trained import load_run
from cnnlab.launch.cell import train_cell
from cnnlab.serve.hosts import is_loopback, may_be_called
from cnnlab.serve.upload import MOST_BYTES
from conftest import TINY, compose_config

GREY = np.full((20, 20), 128)


@pytest.fixture(scope="module")
def trained_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served") / "run"
    train_cell(compose_config(*TINY), folder, [])
    return folder


@pytest.fixture(scope="module")
def page(trained_run: Path) -> Iterator[Served]:
    with serving(trained_run) as served:
        yield served


def test_an_image_gets_what_the_network_says_of_it(page: Served, trained_run: Path) -> None:
    test = Digits(test_fraction=0.2, test_seed=0).read("test")
    assert test
    said = page.ask("/predict", encoded(test.images[5][..., 0])).said
    expected = load_run(trained_run).predict([test.images[5]])[0]
    assert [one["class"] for one in said["top"]] == [name for name, _ in expected]
    assert [one["probability"] for one in said["top"]] == pytest.approx([share for _, share in expected], abs=1e-6)


def test_an_answer_has_the_image_and_a_coloured_map_over_it(page: Served) -> None:
    said = page.ask("/examples/0/predict", b"").said
    seen, over = (
        Image.open(io.BytesIO(base64.b64decode(said[key].removeprefix("data:image/png;base64,"))))
        for key in ("seen", "map")
    )
    assert seen.size == over.size == (224, 224)
    assert (seen.mode, over.mode) == ("L", "RGB")
    assert np.ptp(np.asarray(over), axis=2).max() > 50


def test_examples_are_test_images_of_each_class(page: Served) -> None:
    told = page.ask("/about").said["examples"]["classes"]
    assert set(told) == set(map(str, range(10)))
    picture = page.ask(f"/examples/{len(told) - 1}.png")
    assert Image.open(io.BytesIO(picture.body)).format == picture.headers["content-type"].removeprefix("image/").upper()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM"])
def test_kinds_are_told_by_content(page: Served, kind: str) -> None:
    assert page.ask("/predict", encoded(GREY, kind), **{"Content-Type": "text/plain"}).status == 200


def bomb() -> bytes:
    """A PNG of a few bytes that claims to have 900 million pixels."""
    header = b"IHDR" + (30_000).to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    chunk = (13).to_bytes(4, "big") + header + zlib.crc32(header).to_bytes(4, "big")
    return b"\x89PNG\r\n\x1a\n" + chunk + b"\0\0\0\0IDAT\x35\xaf\x06\x1e"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no image of a kind"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "no image of a kind"),
        (encoded(np.arange(4096).reshape(64, 64) % 251)[:-200], "not a whole image"),
        (encoded(np.arange(4096).reshape(64, 64) % 251, "JPEG")[:-200], "not a whole image"),
        (bomb(), "not a whole image"),
        (encoded(np.zeros((6400, 6400))), "at most 40 million"),
        (encoded(np.zeros((1, 21))), "one side is more than"),
    ],
)
def test_what_is_no_such_image_is_refused_in_words(page: Served, data: bytes, words: str) -> None:
    reply = page.ask("/predict", data)
    assert reply.status == 422
    assert words in reply.said["error"]


def test_a_large_file_is_refused_before_it_is_read(page: Served) -> None:
    reply = page.ask("/predict", b"", **{"Content-Length": str(MOST_BYTES + 1)})
    assert reply.status == 413
    assert "20 MiB" in reply.said["error"]


def test_the_server_goes_on_after_what_it_refused(page: Served) -> None:
    page.ask("/predict", bomb())
    assert page.ask("/predict", encoded(GREY)).status == 200


@pytest.mark.parametrize("path", ["/examples/99.png", "/../pyproject.toml", "/page.py", "/static/page.html"])
def test_there_is_nothing_else(page: Served, path: str) -> None:
    assert page.ask(path).status == 404


@pytest.mark.parametrize(
    "name", ["evil.example", "127.0.0.1.evil.example", "", "10.0.0.1", "localhost.evil.example:80"]
)
def test_another_name_of_this_machine_is_refused(page: Served, name: str) -> None:
    assert page.ask("/about", Host=name).status == 403


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]:8000"])
def test_names_of_the_loopback_are_its_own(page: Served, name: str) -> None:
    assert page.ask("/about", Host=name).status == 200


def test_pages_of_others_may_not_ask(page: Served) -> None:
    assert page.ask("/examples/0/predict", b"", Origin="http://evil.example").status == 403
    assert page.ask("/examples/0/predict", b"", Origin=page.address).status == 200


@pytest.mark.parametrize("path", ["/", "/page.js", "/about", "/examples/99.png"])
def test_every_answer_has_the_policy(page: Served, path: str) -> None:
    headers = page.ask(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
    assert headers["x-content-type-options"] == "nosniff"


def test_the_page_names_no_other_server() -> None:
    folder = Path(sys.modules["cnnlab.serve"].__path__[0])
    pages = [file.read_text() for file in folder.glob("page.*")]
    assert len(pages) == 3
    assert not any("//" in text.replace("// ", "") for text in pages)


def test_a_server_for_all_takes_addresses_and_its_own_names_only() -> None:
    assert may_be_called("10.0.0.7:8000", "0.0.0.0", loopback=False)
    assert may_be_called("lab.example", "lab.example", loopback=False)
    assert not may_be_called("evil.example", "0.0.0.0", loopback=False)


def test_only_the_loopback_is_called_so() -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("localhost")
    assert not is_loopback("0.0.0.0")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["prt=1"], "Did you mean port?"),
        (["run=nowhere"], "there is no such folder"),
        (["port=x", "run=a"], "whole number"),
        (["port=70000", "run=a"], "at most 65535"),
        (["host=no.such.host.invalid", "run=a"], "no address of this machine"),
        (["model=lenet5"], "there is no key model"),
        ([], "of which run?"),
    ],
)
def test_wrong_words_are_told(
    command: Callable[..., int], capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert command("serve", *words) == 1
    assert said in capsys.readouterr().err


def test_a_port_that_is_taken_is_told(
    page: Served, trained_run: Path, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("serve", f"run={trained_run}", f"port={page.port}") == 1
    assert "Address already in use; port=0 takes one that is free" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_with_its_exit_code(trained_run: Path, number: signal.Signals, code: int) -> None:
    words = [sys.executable, "-m", "cnnlab", "serve", f"run={trained_run}", "port=0", "host=0.0.0.0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stdout
        assert process.stdout.readline().startswith("WARNING: host=0.0.0.0 lets everyone")
        address = process.stdout.readline().split()[0]
        Served(int(address.rstrip("/").rpartition(":")[2])).ask("/about")
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == code
    assert errors.strip() == f"stopped by {number.name}"


@pytest.mark.slow
def test_a_run_whose_data_set_is_gone_takes_images_and_says_why_it_shows_none(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for label in ("cat", "dog"):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for number in range(30):
            pixels = rng.integers(0, 255, (50, 40, 3), np.uint8)
            (tmp_path / "photos" / label / f"{number}.png").write_bytes(encoded(pixels))
    words = ["datamodule=image_folder", f"datamodule.data_dir={tmp_path / 'photos'}", "datamodule.batch_size=8"]
    size = ["datamodule.image_size=32", "trainer.max_epochs=1", "callbacks=quiet", "model=resnet20"]
    train_cell(compose_config(*words, *size), tmp_path / "run", [])
    shutil.rmtree(tmp_path / "photos")
    with serving(tmp_path / "run") as served:
        examples = served.ask("/about").said["examples"]
        said = served.ask("/predict", encoded(rng.integers(0, 255, (50, 40, 3), np.uint8), "JPEG")).said
    assert examples["classes"] == []
    assert "photos" in examples["why_none"]
    assert {one["class"] for one in said["top"]} == {"cat", "dog"}
    assert said["map"].startswith("data:image/png;base64,")
