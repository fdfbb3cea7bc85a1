"""Which pixels speak for the class (Springenberg et al.: Striving for simplicity, 2015)."""

from matplotlib.figure import Figure

from cnnlab.look.subject import Subject
from cnnlab.look.through_relus import figure_of

CHEAP = True


def draw(subject: Subject) -> Figure:
    """The gradient of the predicted class' logit, stopped at each ReLU where it or its input is negative."""
    return figure_of("GuidedBackprop", "Guided backpropagation", subject)
