"""What may be handed in as an image."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageOps

from cnnlab.data.decode import decode
from cnnlab.data.source import Image
from cnnlab.errors import UserError

Picture = str | Path | Pillow.Image | NDArray[Any]


def pixels_of(picture: Picture, channels: int) -> Image:
    """uint8 [H, W, channels], with 1 (grey) or 3 (RGB) channels.

    Raises:
        UserError: it is a file without a whole image, or an array of another type or shape.
    """
    if isinstance(picture, str | Path):
        return decode(Path(picture), channels)[0]
    if isinstance(picture, Pillow.Image):
        return _in_channels(ImageOps.exif_transpose(picture), channels)
    if not isinstance(picture, np.ndarray):
        raise UserError(f"images: {type(picture).__name__}: a file, a Pillow image or a NumPy array is wanted")
    grey = picture[..., None] if picture.ndim == 2 else picture
    if grey.dtype != np.uint8 or grey.ndim != 3 or grey.shape[2] not in (1, 3, channels) or not grey.size:
        raise UserError(
            f"images: an array of {picture.dtype} with shape {list(picture.shape)}: uint8 in 0..255 is wanted, [H, W] "
            f"or [H, W, {channels}]"
        )
    if grey.shape[2] == channels:
        return np.ascontiguousarray(grey)
    return _in_channels(Pillow.fromarray(grey[..., 0] if grey.shape[2] == 1 else grey), channels)


def _in_channels(picture: Pillow.Image, channels: int) -> Image:
    """Without transparency: it becomes white, as in files."""
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        raise UserError(f"images: an image of mode {picture.mode} has no known range; make it 8 bits")
    if picture.has_transparency_data:
        ground = Pillow.new("RGBA", picture.size, "white")
        picture = Pillow.alpha_composite(ground, picture.convert("RGBA"))
    image = np.array(picture.convert("RGB" if channels == 3 else "L"))
    return image if image.ndim == 3 else image[..., None]
