"""Image files -> pixels: whole images only, upright, in 8 bits."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import simplejpeg
from PIL import ExifTags, ImageOps, UnidentifiedImageError
from PIL import Image as Pillow

from cnnlab.data.source import Image
from cnnlab.errors import UserError

ENDINGS = {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
LARGEST = 2 * (Pillow.MAX_IMAGE_PIXELS or 2**30)  # pixels; Pillow takes more for an attack, too
# what may be odd about a good file, as the verify pass tells it
GREY, CMYK, PALETTE, DEEP, ALPHA, ANIMATED, TURNED = (
    "grey",
    "CMYK",
    "palette",
    "16 bits",
    "transparent in places, which become white",
    "several frames, of which the first is taken",
    "turned as its EXIF says",
)
ODD_MODES = {"1": GREY, "L": GREY, "LA": GREY, "CMYK": CMYK, "P": PALETTE, "PA": PALETTE, "RGBA": ALPHA}


class Unreadable(UserError):
    """A file could not be read, which says nothing about what is in it."""


def decode(path: Path, channels: int) -> tuple[Image, list[str]]:
    """The image, [H, W, channels] with 1 (grey) or 3 (RGB) channels, and what is odd about its file.

    JPEGs go through libjpeg-turbo (simplejpeg), the fastest decoder here, which unlike others refuses a file whose
    data end early or are broken; all else goes through Pillow.

    Raises:
        UserError: it names the file, which is not a whole image, or has no known range of values.
        Unreadable: the system does not hand out the file.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror or error}") from error
    return decode_bytes(data, channels, str(path))


def decode_bytes(data: bytes, channels: int, name: str) -> tuple[Image, list[str]]:
    """The same of what a file of that name holds.

    Raises:
        UserError: it names the file, which is not a whole image, or has no known range of values.
    """
    try:
        return _jpeg(data, channels) if data[:3] == b"\xff\xd8\xff" else _other(data, channels)
    except UnidentifiedImageError as error:
        said = "it is no image of a known kind" if data else "it is empty"
        raise UserError(f"{name} is not a whole image: {said}") from error
    except Exception as error:  # whatever a decoder makes of broken data
        raise UserError(f"{name} is not a whole image: {str(error) or type(error).__name__}") from error


def _jpeg(data: bytes, channels: int) -> tuple[Image, list[str]]:
    height, width, kind, _ = simplejpeg.decode_jpeg_header(data)
    if height * width > LARGEST:
        raise ValueError(f"it claims to have {width}x{height} pixels")
    odd = [GREY] if kind == "Gray" else [CMYK] if kind in ("CMYK", "YCCK") else []
    image: Image = simplejpeg.decode_jpeg(data, colorspace="GRAY" if channels == 1 and CMYK not in odd else "RGB")
    if image.shape[2] != channels:
        image = np.asarray(Pillow.fromarray(image).convert("L"))[..., None]
    if has_exif(data):
        with Pillow.open(io.BytesIO(data)) as file:
            turn = file.getexif().get(ExifTags.Base.Orientation, 1)
        if turn in TURNS:
            image, odd = TURNS[turn](image), [*odd, TURNED]
    return np.ascontiguousarray(image), odd


def has_exif(jpeg: bytes) -> bool:
    """Whether there is an EXIF segment before the image's data."""
    at = 2
    while jpeg[at : at + 1] == b"\xff" and jpeg[at + 1] != 0xDA:  # start of scan
        if jpeg[at + 1] == 0xFF:  # a fill byte
            at += 1
            continue
        if jpeg[at + 1] == 0xE1 and jpeg[at + 4 : at + 10] == b"Exif\x00\x00":
            return True
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
    return False


# EXIF's orientations: how the image is changed to be upright
TURNS: dict[int, Callable[[Image], Image]] = {
    2: np.fliplr,
    3: lambda image: np.rot90(image, 2),
    4: np.flipud,
    5: lambda image: image.swapaxes(0, 1),
    6: lambda image: np.rot90(image, -1),
    7: lambda image: np.rot90(image, 2).swapaxes(0, 1),
    8: np.rot90,
}


def _other(data: bytes, channels: int) -> tuple[Image, list[str]]:
    with Pillow.open(io.BytesIO(data)) as file:
        odd = [ODD_MODES[file.mode]] if file.mode in ODD_MODES else []
        if getattr(file, "n_frames", 1) > 1:
            odd.append(ANIMATED)
        if file.getexif().get(ExifTags.Base.Orientation, 1) in TURNS:
            odd.append(TURNED)
        if _is_deep(file, data):
            odd.append(DEEP)
        deep_grey = file.mode.startswith("I;16") or (file.mode == "I" and file.format == "PPM")  # else without a range
        upright = ImageOps.exif_transpose(file)
        if deep_grey:  # convert would clip at 255
            upright = Pillow.fromarray((np.asarray(upright) >> 8).astype(np.uint8))
        elif upright.mode in ("I", "F"):
            raise ValueError(f"its values, of mode {upright.mode}, have no known range; save it with 8 or 16 bits")
        if upright.has_transparency_data:
            odd = [*(word for word in odd if word != ALPHA), ALPHA]
            upright = Pillow.alpha_composite(Pillow.new("RGBA", upright.size, "white"), upright.convert("RGBA"))
        image = np.array(upright.convert("RGB" if channels == 3 else "L"))
    return image if channels == 3 else image[..., None], odd


def _is_deep(file: Pillow.Image, data: bytes) -> bool:
    """Whether the file has 16 bits a channel, of which Pillow may have dropped half already."""
    if file.format == "PNG":
        return data[24] == 16  # the header's bit depth
    if file.format == "TIFF":
        bits = getattr(file, "tag_v2", {}).get(258, 8)
        return 16 in (bits if isinstance(bits, tuple) else (bits,))
    return file.mode == "I" or file.mode.startswith("I;16")
