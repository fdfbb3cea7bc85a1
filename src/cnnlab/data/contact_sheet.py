"""A picture of what a network is shown: originals on the left, augmented as in training on the right."""

from dataclasses import dataclass

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from cnnlab.data.source import Image

MARGIN, TITLE, NAMES, GAP = 12, 44, 150, 4
GREY, BLACK, WHITE = (110, 110, 110), (0, 0, 0), (255, 255, 255)


@dataclass(frozen=True)
class Row:
    """An image of a class: as it is, and as training shows it in several epochs; each uint8 [S, S, C]."""

    name: str
    original: Image
    augmented: list[Image]


def contact_sheet(rows: list[Row], title: str) -> Pillow.Image:
    """A row an image; small images are enlarged without smoothing, large ones made smaller."""
    side = rows[0].original.shape[0]
    shown = side * max(1, 84 // side) if side <= 112 else 112
    columns = 1 + max(len(row.augmented) for row in rows)
    width = NAMES + MARGIN * 3 + columns * (shown + GAP)
    sheet = Pillow.new("RGB", (width, TITLE + MARGIN * 2 + len(rows) * (shown + GAP)), WHITE)
    draw, font, small = ImageDraw.Draw(sheet), ImageFont.load_default(15), ImageFont.load_default(12)
    draw.text((MARGIN, 8), title, BLACK, font)
    draw.text((NAMES + MARGIN, 30), "original", GREY, small)
    draw.text((NAMES + MARGIN * 2 + shown + GAP, 30), "as training shows it, an epoch a column", GREY, small)
    for line, row in enumerate(rows):
        top = TITLE + MARGIN + line * (shown + GAP)
        draw.text((MARGIN, top + shown // 2 - 7), shortened(row.name, small), BLACK, small)
        for column, image in enumerate([row.original, *row.augmented]):
            left = NAMES + MARGIN + column * (shown + GAP) + (MARGIN if column else 0)
            sheet.paste(picture(image, shown), (left, top))
    return sheet


def shortened(name: str, font: ImageFont.ImageFont | ImageFont.FreeTypeFont) -> str:
    """The name, cut where it would run into the images."""
    while font.getlength(name) > NAMES - MARGIN:
        name = name.removesuffix("…")[:-1] + "…"
    return name


def picture(image: Image, side: int) -> Pillow.Image:
    """[S, S, C] -> a picture of side x side pixels; two channels or more than three are shown by their mean."""
    channels = image.shape[-1]
    pixels = image if channels == 3 else image.mean(axis=-1).round().astype(np.uint8)
    way = Pillow.Resampling.NEAREST if side >= image.shape[0] else Pillow.Resampling.BILINEAR
    return Pillow.fromarray(np.ascontiguousarray(pixels)).convert("RGB").resize((side, side), way)
