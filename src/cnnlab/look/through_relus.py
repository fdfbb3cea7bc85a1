"""Guided backpropagation and deconvolution: gradients of a class, which ReLUs let pass in another way."""

import warnings
from typing import Literal

from matplotlib.figure import Figure
from torch import Tensor, nn

from cnnlab.look.canvas import about_grey, canvas, percent, short, show
from cnnlab.look.subject import NotForThisRun, Subject

Way = Literal["GuidedBackprop", "Deconvolution"]  # captum's names
COLUMNS = 8


def attributed(way: Way, net: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """What each pixel says for each image's class [N, C, H, W].

    Raises:
        NotForThisRun: the network has no ReLU, for which the method is made.
    """
    from captum import attr

    if not any(type(module) is nn.ReLU for module in net.modules()):
        raise NotForThisRun("this network has no ReLU (model.activation), without which it is the plain gradient")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Setting backward hooks on ReLU")  # it takes them away again
        found = getattr(attr, way)(net).attribute(images.clone().requires_grad_(), target=labels)
    assert isinstance(found, Tensor)
    return found.detach()


def figure_of(way: Way, title: str, subject: Subject) -> Figure:
    """Images over what was found."""
    sample = subject.sample
    found = attributed(way, subject.net, sample.images, sample.predicted).permute(0, 2, 3, 1).cpu().numpy()
    greys, pixels = about_grey(found), subject.pixels(sample.images)
    columns = min(COLUMNS, len(pixels))
    rows = -(-len(pixels) // columns)
    below = (
        f"pixels that speak for the predicted class, grey is 0; {subject.stage_in_words} images, each to its own scale"
    )
    figure = canvas(1.3 * columns + 0.2, 2.95 * rows + 0.75, f"{title}: {subject.name}", below)
    places = figure.subplots(2 * rows, columns, squeeze=False)
    for axes in places.flatten():
        axes.set_axis_off()
    for number, (image, grey) in enumerate(zip(pixels, greys, strict=True)):
        row, column = divmod(number, columns)
        true, taken = int(sample.labels[number]), int(sample.predicted[number])
        probability = percent(float(sample.probabilities[number, taken]))
        words = f"is {short(subject.classes[true])}\nsays {short(subject.classes[taken], 8)} ({probability})"
        show(places[2 * row, column], image, words)
        show(places[2 * row + 1, column], grey)
    return figure
