"""What the pictures have in common: titles, images in a grid, and colours that the colour-blind can tell apart."""

from collections.abc import Sequence
from math import ceil
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import NDArray

DPI, LETTER = 100, 0.078  # pixels an inch; inches of a title's letter
SMALL, GREY, BLUE, ORANGE, INK = 8, "#767676", "#0072b2", "#d55e00", "#222222"  # Okabe and Ito's blue and vermilion
AMOUNT = "cividis"  # of what is at least 0
SIGNED = "RdBu_r"  # of what has a sign, white at 0
Array = NDArray[Any]


def canvas(width: float, height: float, title: str, below: str = "") -> Figure:
    """An empty figure of so many inches, 100 pixels each; it is wider where the words need more."""
    width = max(width, LETTER * max(len(title), len(below)) + 0.3)
    engine = ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.06)
    figure = Figure(figsize=(width, height), dpi=DPI, layout=engine, facecolor="white")
    figure.suptitle(f"{title}\n{below}" if below else title, fontsize=10, color=INK)
    return figure


def grid(
    count: int, columns: int, title: str, below: str = "", side: float = 1.3, words: float = 0.3
) -> tuple[Figure, list[Axes]]:
    """Room for so many images of that side, row by row, with `words` inches of text over each."""
    columns = min(columns, count)
    rows = ceil(count / columns)
    figure = canvas(columns * (side + 0.1) + 0.2, rows * (side + words) + 0.75, title, below)
    axes = figure.subplots(rows, columns, squeeze=False).flatten().tolist()
    for one in axes:
        one.set_axis_off()
    return figure, axes[:count]


def show(axes: Axes, image: Array, title: str = "", color: str = INK, **more: Any) -> None:
    """An image [H, W, C] or [H, W] with square pixels; one channel is grey, two or more than three by their mean."""
    if image.ndim == 3 and image.shape[-1] != 3:
        image = image.mean(axis=-1)
    if image.ndim == 2 and not more:
        more = {"cmap": "gray", "vmin": 0, "vmax": 1}
    axes.imshow(image, interpolation="nearest", **more)
    axes.set_title(title, fontsize=SMALL, color=color, pad=3)
    axes.set_axis_off()


def about_grey(values: Array) -> Array:
    """What has a sign, as a picture: 0 is middle grey, the largest size of each image black or white."""
    values = values.mean(axis=-1, keepdims=True) if values.shape[-1] not in (1, 3) else values
    largest = np.abs(values).max(axis=(1, 2, 3), keepdims=True)
    shown: Array = 0.5 + 0.5 * values / np.maximum(largest, 1e-12)
    return shown


def short(name: str, letters: int = 14) -> str:
    """A class' name that leaves its neighbours room."""
    return name if len(name) <= letters else name[: letters - 1] + "…"


def percent(share: float) -> str:
    """0.981 -> '98 %'; what is not quite all or nothing is not called so."""
    if 0 < share < 0.005 or 0.995 <= share < 1:
        return "<1 %" if share < 0.5 else ">99 %"
    return f"{100 * share:.0f} %"


def plain(axes: Axes, spines: Sequence[str] = ("top", "right")) -> None:
    """Without the lines that say nothing."""
    axes.spines[list(spines)].set_visible(False)
    axes.tick_params(labelsize=SMALL, colors=INK)
