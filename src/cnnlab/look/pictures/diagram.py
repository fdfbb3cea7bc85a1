"""The network, stage by stage, with what each makes of an image."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from cnnlab import cost
from cnnlab.look.canvas import AMOUNT, GREY, INK, SMALL, canvas
from cnnlab.look.stage_words import in_words
from cnnlab.look.subject import Subject
from cnnlab.models.meta import forward_on_meta
from cnnlab.models.stages import stages

CHEAP = True
WIDEST = 3.0  # of a box, for the input's size


@dataclass(frozen=True)
class Row:
    """Like stages in a row, and the shape that comes out: (C, H, W) or (F,)."""

    words: str
    shape: tuple[int, ...]
    parameters: int = 0
    flops: int = 0
    times: int = 1

    @property
    def side(self) -> int:
        return self.shape[1] if len(self.shape) == 3 else 1


def rows_of(net: nn.Module, in_channels: int, image_size: int) -> list[Row]:
    """The input, then the stages that an image passes in evaluation."""
    rows = [Row("image", (in_channels, image_size, image_size))]
    counter, before = FlopCounterMode(display=False), 0

    def after(module: nn.Module, _: Any, output: Tensor) -> None:
        nonlocal before
        flops = counter.get_total_flops()
        new = Row(in_words(module, inside=True), tuple(output.shape[1:]), cost.parameters(module), flops - before)
        before = flops
        if (rows[-1].words, rows[-1].shape) == (new.words, new.shape):
            last = rows.pop()
            new = replace(
                new, parameters=last.parameters + new.parameters, flops=last.flops + new.flops, times=last.times + 1
            )
        rows.append(new)

    hooks = [stage.register_forward_hook(after) for stage in stages(net)]
    try:
        with counter:
            forward_on_meta(net, in_channels, image_size)
    finally:
        for hook in hooks:
            hook.remove()
    return rows


def draw(subject: Subject) -> Figure:
    """A box is as wide as its maps, and brighter the more there are; arcs are shortcuts."""
    rows = rows_of(subject.net, subject.data.in_channels, subject.data.image_size)
    below = f"{cost.parameters(subject.net):,} weights; a box is as wide as its maps, and the brighter the more of them"
    figure = canvas(9.2, 0.33 * len(rows) + 1.2, f"Network diagram: {subject.name}", below)
    axes = figure.subplots()
    axes.set_xlim(-0.4, 13.1)
    axes.set_ylim(-len(rows) + 0.4, 0.9)
    axes.set_axis_off()
    for column, (x, side) in {
        "stage": (3.9, "left"),
        "output": (9.7, "right"),
        "weights": (11.4, "right"),
        "MFLOP": (13.0, "right"),
    }.items():
        axes.text(x, 0.75, column, fontsize=SMALL, color=GREY, ha=side, va="center")
    most = max(row.shape[0] for row in rows)
    for line, row in enumerate(rows):
        box(axes, -line, row, rows[0].side, most)
        times = f"{row.times} x " if row.times > 1 else ""
        told = {3.9: times + row.words, 9.7: " x ".join(map(str, row.shape))}
        if row.parameters or row.flops:
            told |= {11.4: f"{row.parameters:,}", 13.0: f"{row.flops / 1e6:,.2f}"}
        for x, text in told.items():
            axes.text(x, -line, text, fontsize=SMALL, color=INK, ha="left" if x < 4 else "right", va="center")
    return figure


def box(axes: Axes, y: float, row: Row, largest: int, most: int) -> None:
    """What comes out of a stage, with an arrow to it from above and its shortcut beside."""
    width = max(0.12, WIDEST * row.side / largest)
    middle = 0.3 + WIDEST / 2
    colour = colormaps[AMOUNT](0.15 + 0.85 * np.log(row.shape[0]) / max(np.log(most), 1))
    axes.add_patch(Rectangle((middle - width / 2, y - 0.3), width, 0.6, facecolor=colour, edgecolor=INK, linewidth=0.6))
    if y < 0:
        axes.plot([middle, middle], [y + 0.7, y + 0.3], color=INK, linewidth=0.8)
    if row.words.startswith("residual"):
        left = middle - width / 2
        arc = FancyArrowPatch(
            (left, y + 0.5),
            (left, y - 0.2),
            connectionstyle="arc3,rad=0.7",
            arrowstyle="-|>",
            mutation_scale=6,
            color=INK,
            linewidth=0.8,
        )
        axes.add_patch(arc)
