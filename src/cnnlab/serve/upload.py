"""What someone drops on the page: an image of a known kind and a bearable size, decided by its content."""

import io
import warnings

from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from cnnlab.data.decode import decode_bytes
from cnnlab.data.source import Image
from cnnlab.errors import UserError

MOST_BYTES = 20 * 2**20
MOST_PIXELS = 40_000_000
MOST_LENGTHY = (
    20  # times as long as wide: the shorter side is brought to the network's size, whatever becomes of the other
)
KINDS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM")  # no others: Pillow has programs run for some


def uploaded(data: bytes, channels: int) -> Image:
    """The image, [H, W, channels]; its size is read from the header before anything is decoded.

    Raises:
        UserError: it is no image of these kinds, too large, too lengthy, or damaged.
    """
    if not data:
        raise UserError("The file is empty.")
    if len(data) > MOST_BYTES:
        raise UserError(too_large())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)  # our own limit is lower
            with Pillow.open(io.BytesIO(data), formats=KINDS) as file:
                width, height = file.size
    except UnidentifiedImageError as error:
        raise UserError(f"The file is no image of a kind that is known here: {', '.join(KINDS)}.") from error
    except Exception as error:  # whatever a decoder makes of broken data, or of sizes that it takes for an attack
        raise UserError(f"The file is not a whole image: {error}.") from error
    if width * height > MOST_PIXELS:
        raise UserError(
            f"The image has {width:,} x {height:,} pixels; at most {MOST_PIXELS // 10**6} million are taken."
        )
    if max(width, height) > MOST_LENGTHY * min(width, height):
        raise UserError(
            f"The image has {width:,} x {height:,} pixels: one side is more than {MOST_LENGTHY} times the other."
        )
    return decode_bytes(data, channels, "The file")[0]


def too_large() -> str:
    """What is said of a file."""
    return f"The file has more than {MOST_BYTES // 2**20} MiB, which is too large."
