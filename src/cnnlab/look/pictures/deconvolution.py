"""Which pixels a network running backwards paints (Zeiler and Fergus: Visualizing and understanding, 2014)."""

from matplotlib.figure import Figure

from cnnlab.look.subject import Subject
from cnnlab.look.through_relus import figure_of

CHEAP = True


def draw(subject: Subject) -> Figure:
    """The gradient of the predicted class' logit, stopped at each ReLU where it is negative itself."""
    return figure_of("Deconvolution", "Deconvolution", subject)
