from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageOps

from cnnlab.data.decode import ALPHA, CMYK, DEEP, GREY, PALETTE, TURNED, decode
from cnnlab.data.files import Decoded
from cnnlab.errors import UserError

RED, DIM = (255, 0, 0), (90, 90, 90)


def decoded(path: Path, channels: int = 3) -> NDArray[np.uint8]:
    return Decoded([path], channels)[0]


def save(path: Path, image: Pillow.Image) -> Path:
    image.save(path)
    return path


@pytest.mark.parametrize(
    ("convert", "colour"),
    [
        pytest.param(lambda image: image, RED, id="RGB"),
        pytest.param(lambda image: image.convert("L", (1, 0, 0, 0)).point(lambda _: 90), DIM, id="grey"),
        pytest.param(lambda image: image.quantize(4), RED, id="palette"),
        pytest.param(lambda image: image.convert("CMYK"), RED, id="CMYK"),
        pytest.param(lambda image: image.convert("RGBA"), RED, id="with alpha"),
        pytest.param(lambda image: image.convert("1").point(lambda _: 255), (255, 255, 255), id="black and white"),
        pytest.param(lambda _: Pillow.fromarray(np.full((4, 6), 90 * 257, np.uint16)), DIM, id="16-bit grey"),
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


def photo() -> Pillow.Image:
    """Noise of low frequencies, which a JPEG keeps well."""
    noise = np.random.default_rng(0).integers(0, 256, (9, 12, 3), np.uint8)
    return Pillow.fromarray(noise).resize((120, 90), Pillow.Resampling.BICUBIC)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"restart_marker_rows": 1}])
def test_a_jpeg_cut_off_anywhere_is_an_error_or_whole(tmp_path: Path, options: dict[str, Any]) -> None:
    path = tmp_path / "photo.jpg"
    photo().save(path, **options)
    raw, whole = path.read_bytes(), decoded(path)
    for end in {*range(2, len(raw), 97), len(raw) - 1, len(raw) - 2, len(raw) - 3}:
        path.write_bytes(raw[:end])
        with suppress(UserError):
            assert np.array_equal(decoded(path), whole)


def test_a_jpeg_with_lost_data_in_the_middle_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    photo().save(path)
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2] + raw[len(raw) * 3 // 4 :])
    with pytest.raises(UserError, match=str(path)):
        decoded(path)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_jpegs_are_what_pillow_makes_of_them(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "photo.jpg"
    photo().convert(mode).save(path, quality=95)
    with Pillow.open(path) as file:
        expected = np.asarray(file.convert("RGB")).astype(int)
    assert np.abs(decoded(path) - expected).mean() < (2 if mode == "CMYK" else 0.01)


@pytest.mark.parametrize("ending", ["jpg", "png"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_as_pillow_turns_it(tmp_path: Path, orientation: int, ending: str) -> None:
    path, exif = tmp_path / f"photo.{ending}", Pillow.Exif()
    exif[0x0112] = orientation
    photo().save(path, exif=exif)
    with Pillow.open(path) as file:
        expected = np.asarray(ImageOps.exif_transpose(file))
    image, odd = decode(path, 3)
    assert np.array_equal(image, expected)
    assert odd == ([TURNED] if orientation > 1 else [])


@pytest.mark.parametrize(
    ("name", "convert", "odd"),
    [
        ("a.jpg", lambda image: image.convert("L"), [GREY]),
        ("a.jpg", lambda image: image.convert("CMYK"), [CMYK]),
        ("a.png", lambda image: image.quantize(16), [PALETTE]),
        ("a.png", lambda image: Pillow.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257), [DEEP]),
        ("a.png", lambda image: image, []),
    ],
)
def test_what_is_odd_about_a_file_is_told(
    tmp_path: Path, name: str, convert: Callable[[Pillow.Image], Pillow.Image], odd: list[str]
) -> None:
    assert decode(save(tmp_path / name, convert(photo())), 3)[1] == odd


@pytest.mark.parametrize("ending", ["gif", "webp", "png", "tif"])
def test_of_several_frames_the_first_is_taken_and_that_is_told(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"film.{ending}"
    frames = [Pillow.new("RGB", (8, 8), colour) for colour in ((255, 0, 0), (0, 0, 255))]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    image, odd = decode(path, 3)
    assert np.abs(image[0, 0].astype(int) - RED).max() <= 2
    assert any("several frames" in word for word in odd)


@pytest.mark.parametrize("mode", ["I", "F"])
def test_values_without_a_known_range_are_an_error(tmp_path: Path, mode: str) -> None:
    path = save(tmp_path / "depth.tif", photo().convert("L").convert(mode))
    with pytest.raises(UserError, match=r"depth.tif .* no known range"):
        decoded(path)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("ending", ["jpg", "tif"])
def test_one_channel_is_grey(tmp_path: Path, mode: str, ending: str) -> None:
    path = save(tmp_path / f"a.{ending}", photo().convert(mode))
    grey = np.asarray(photo().convert("L")).astype(int)
    image = decoded(path, channels=1)
    assert image.shape == (90, 120, 1)
    assert np.abs(image[..., 0] - grey).mean() < 3


def test_an_empty_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    with pytest.raises(UserError, match=f"{tmp_path}/a.jpg is not a whole image: it is empty"):
        decoded(tmp_path / "a.jpg")


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"{tmp_path}/a.jpg cannot be read: No such file"):
        decoded(tmp_path / "a.jpg")


def test_a_file_of_no_known_kind_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"<html>" * 50)
    with pytest.raises(UserError, match=r"a.png is not a whole image: it is no image of a known kind$"):
        decoded(tmp_path / "a.png")


def test_a_jpeg_that_claims_to_be_huge_is_refused_before_room_is_made_for_it(tmp_path: Path) -> None:
    path = tmp_path / "bomb.jpg"
    photo().save(path)
    raw = bytearray(path.read_bytes())
    at = raw.index(b"\xff\xc0") + 5  # the frame's height and width
    raw[at : at + 4] = b"\xff\xdc\xff\xdc"
    path.write_bytes(raw)
    with pytest.raises(UserError, match=r"bomb.jpg .* it claims to have 65500x65500 pixels"):
        decoded(path)


@pytest.mark.parametrize("ending", ["tif", "png", "gif", "bmp", "webp", "ppm"])
def test_files_with_changed_bytes_are_read_or_named(tmp_path: Path, ending: str) -> None:
    path = save(tmp_path / f"a.{ending}", photo())
    raw, rng = path.read_bytes(), np.random.default_rng(0)
    for _ in range(60):
        changed = bytearray(raw)
        for at in rng.integers(0, min(len(raw), 400), 3):
            changed[at] = rng.integers(256)
        path.write_bytes(changed)
        with suppress(UserError):
            assert decoded(path).ndim == 3


@pytest.mark.filterwarnings("ignore")  # Pillow's about broken tags
def test_16_bit_colours_are_told_and_16_bit_grey_is_kept(tmp_path: Path) -> None:
    import cv2

    deep = np.full((4, 6, 3), 90 * 257, np.uint16)
    assert cv2.imwrite(str(tmp_path / "a.png"), deep)
    image, odd = decode(tmp_path / "a.png", 3)
    assert (set(image.ravel().tolist()), odd) == ({90}, [DEEP])
    (tmp_path / "a.pgm").write_bytes(b"P5 6 4 65535\n" + deep[..., 0].byteswap().tobytes())
    image, odd = decode(tmp_path / "a.pgm", 3)
    assert (set(image.ravel().tolist()), odd) == ({90}, [DEEP])


def test_transparent_pixels_become_white_and_that_is_told(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", Pillow.new("RGBA", (6, 4), (255, 0, 0, 0)))
    image, odd = decode(path, 3)
    assert set(image.ravel().tolist()) == {255}
    assert odd == [ALPHA]


def test_fill_bytes_before_the_exif_do_not_hide_it(tmp_path: Path) -> None:
    path, exif = tmp_path / "a.jpg", Pillow.Exif()
    exif[0x0112] = 6
    photo().save(path, exif=exif)
    raw = path.read_bytes()
    at = raw.index(b"\xff\xe1")
    path.write_bytes(raw[:at] + b"\xff\xff" + raw[at:])
    assert decode(path, 3)[0].shape == (120, 90, 3)
