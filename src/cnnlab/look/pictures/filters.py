"""What the first convolution looks for."""

from matplotlib.figure import Figure
from torch import Tensor, nn

from cnnlab.look.canvas import SIGNED, about_grey, grid, show
from cnnlab.look.stage_words import size
from cnnlab.look.subject import NotForThisRun, Subject

CHEAP = True
MOST = 128


def first_filters(net: nn.Module) -> Tensor:
    """Its weights [filters, channels, height, width].

    Raises:
        NotForThisRun: the network has no convolution.
    """
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            return module.weight.detach()
    raise NotForThisRun("this network has no convolution")


def draw(subject: Subject) -> Figure:
    """Of three channels in their colours about middle grey; of others by their sum over channels, blue below 0."""
    weights = first_filters(subject.net).cpu()
    number, channels, *kernel = weights.shape
    shown = weights[:MOST].permute(0, 2, 3, 1).numpy()
    in_colour = channels == 3
    how = "in colour, grey is 0" if in_colour else "red above 0, blue below, white is 0"
    part = f"the first {MOST} of {number}" if number > MOST else f"{number}"
    over = f"{size(tuple(kernel))} over {channels} channel{'s' * (channels > 1)}"
    below = f"{part} filters of {over}, each to its own scale; {how}"
    figure, places = grid(
        len(shown), 16 if len(shown) > 32 else 8, f"First-layer filters: {subject.name}", below, 0.55, 0.06
    )
    for axes, one, grey in zip(places, shown, about_grey(shown), strict=True):
        if in_colour:
            show(axes, grey)
        else:
            largest = max(float(abs(one.sum(axis=-1)).max()), 1e-12)
            show(axes, one.sum(axis=-1), cmap=SIGNED, vmin=-largest, vmax=largest)
    return figure
