from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from cnnlab.data.folder import Decoded
from cnnlab.errors import UserError

RED, GREY = (255, 0, 0), (90, 90, 90)


def decoded(path: Path) -> NDArray[np.uint8]:
    return Decoded([path])[0]


def save(path: Path, image: Pillow.Image) -> Path:
    image.save(path)
    return path


@pytest.mark.parametrize(
    ("convert", "colour"),
    [
        pytest.param(lambda image: image, RED, id="RGB"),
        pytest.param(lambda image: image.convert("L", (1, 0, 0, 0)).point(lambda _: 90), GREY, id="grey"),
        pytest.param(lambda image: image.quantize(4), RED, id="palette"),
        pytest.param(lambda image: image.convert("CMYK"), RED, id="CMYK"),
        pytest.param(lambda image: image.convert("RGBA"), RED, id="with alpha"),
        pytest.param(lambda image: image.convert("1").point(lambda _: 255), (255, 255, 255), id="black and white"),
        pytest.param(lambda _: Pillow.fromarray(np.full((4, 6), 90 * 257, np.uint16)), GREY, id="16-bit grey"),
    ],
)
def test_every_kind_of_image_becomes_rgb(
    tmp_path: Path, convert: Callable[[Pillow.Image], Pillow.Image], colour: tuple[int, int, int]
) -> None:
    image = decoded(save(tmp_path / "image.tif", convert(Pillow.new("RGB", (6, 4), RED))))
    assert image.dtype == np.uint8
    assert image.shape == (4, 6, 3)
    assert set(map(tuple, image.reshape(-1, 3).tolist())) == {colour}


def test_a_photograph_is_turned_as_its_exif_says(tmp_path: Path) -> None:
    exif, image = Pillow.Exif(), Pillow.new("RGB", (6, 4), RED)
    exif[0x0112] = 6  # the camera was held upright
    image.save(tmp_path / "photo.jpg", exif=exif)
    assert decoded(tmp_path / "photo.jpg").shape == (6, 4, 3)


@pytest.mark.parametrize("ending", ["jpg", "png", "gif", "webp", "bmp", "tif"])
@pytest.mark.parametrize("part", [0.0, 0.3, 0.7])
def test_a_truncated_image_is_named(tmp_path: Path, ending: str, part: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    path = save(tmp_path / f"image.{ending}", Pillow.fromarray(noise))
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * part)])
    with pytest.raises(UserError, match=f"{path} is not a whole image"):
        decoded(path)


def test_a_file_that_is_no_image_is_named(tmp_path: Path) -> None:
    (tmp_path / "image.png").write_bytes(b"<html>")
    with pytest.raises(UserError, match=str(tmp_path / "image.png")):
        decoded(tmp_path / "image.png")
