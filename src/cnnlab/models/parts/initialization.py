"""How the weights of convolutions and hidden layers begin; only one of the ways takes a deviation from outside."""

from collections.abc import Callable

from torch import Tensor, nn


def he(weight: Tensor, _: float) -> None:
    """Normal, variance 2 / fan-in (He et al.: Delving deep into rectifiers, 2015, section 2.2)."""
    nn.init.kaiming_normal_(weight, nonlinearity="relu")


def xavier(weight: Tensor, _: float) -> None:
    """Uniform, variance 2 / (fan-in + fan-out) (Glorot and Bengio, 2010, eq. 16)."""
    nn.init.xavier_uniform_(weight)


def lecun(weight: Tensor, _: float) -> None:
    """Normal, variance 1 / fan-in (LeCun et al.: Efficient backprop, 1998, section 4.6)."""
    nn.init.kaiming_normal_(weight, nonlinearity="linear")


def uniform(weight: Tensor, _: float) -> None:
    """Between -2.4 / fan-in and 2.4 / fan-in (LeCun et al., 1998, appendix A)."""
    bound = 2.4 / weight[0].numel()
    nn.init.uniform_(weight, -bound, bound)


def gaussian(weight: Tensor, std: float) -> None:
    """Normal with that standard deviation in every layer (Krizhevsky et al., 2012, section 5: 0.01)."""
    nn.init.normal_(weight, std=std)


def orthogonal(weight: Tensor, _: float) -> None:
    """Orthogonal rows or columns times the square root of 2, as in He's (Saxe et al., 2014)."""
    nn.init.orthogonal_(weight, gain=2**0.5)


INITIALIZATIONS: dict[str, Callable[[Tensor, float], None]] = {
    "he": he,
    "xavier": xavier,
    "lecun": lecun,
    "uniform": uniform,
    "gaussian": gaussian,
    "orthogonal": orthogonal,
}
BY_GROUP = ("xavier", "orthogonal")  # the others see a weight's inputs only, which are those of its group
WITH_GAIN = ("he", "orthogonal")  # times the square root of 2, for inputs that an activation has halved
