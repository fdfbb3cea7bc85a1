"""The last layers of heads, told apart by what they are."""

from torch import nn


class Logits(nn.Linear):
    """The last layer of a head: what a new number of classes replaces, and what fine-tuning leaves free."""


class LogitsMap(nn.Conv2d):
    """The same in a fully convolutional network: a 1x1 convolution with a map per class."""
