"""How the sizes of activations and gradients went while it trained; callbacks=[default,pictures] records them."""

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from cnnlab.look.canvas import SMALL, canvas, plain
from cnnlab.look.spreads import RECORD, History, middle, read_history, zeros
from cnnlab.look.subject import NotForThisRun, Subject

CHEAP = True


def draw(subject: Subject) -> Figure:
    """A line a layer, the darkest is the first."""
    history = read_history(subject.folder / "pictures" / RECORD)
    if not history.epochs:
        raise NotForThisRun("it was trained without callbacks=[default,pictures], which records them")
    return figure_of(subject.name, history)


def figure_of(name: str, history: History) -> Figure:
    """Medians of what is not 0, and the share of zeros."""
    names = history.spreads[0].names
    figure = canvas(
        9.8, 4.2, f"Activations and gradients over time: {name}", "of the same validation images; a line a layer"
    )
    panels = figure.subplots(1, 3)
    colours = colormaps["viridis"](np.linspace(0, 0.92, len(names)))
    for layer, (word, colour) in enumerate(zip(names, colours, strict=True)):
        activations = [one.activations[layer] for one in history.spreads]
        gradients = [one.gradients[layer] for one in history.spreads]
        lines = [
            [10 ** middle(counts) for counts in activations],
            [10 ** middle(counts) for counts in gradients],
            [100 * zeros(counts) for counts in activations],
        ]
        for axes, line in zip(panels, lines, strict=True):
            axes.plot(history.epochs, line, color=colour, linewidth=1.4, marker="o", markersize=2.5, label=word)
    titles = ("median activation", "median gradient", "activations that are 0, %")
    for axes, words in zip(panels, titles, strict=True):
        axes.set_title(words, fontsize=9)
        axes.set_xlabel("epochs", fontsize=9)
        axes.xaxis.get_major_locator().set_params(integer=True)
        plain(axes)
    for axes in panels[:2]:
        axes.set_yscale("log")
    panels[2].set_ylim(-3, 103)
    handles, labels = panels[0].get_legend_handles_labels()
    every = max(1, len(names) // 14)
    figure.legend(handles[::every], labels[::every], loc="outside right center", fontsize=SMALL, frameon=False)
    return figure
