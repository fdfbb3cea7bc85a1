"""The blocks that every network is made of, and the one place where norm, dropout, activation and init act."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from cnnlab.errors import require_one_of
from cnnlab.models.parts.activations import ACTIVATIONS
from cnnlab.models.parts.initialization import BY_GROUP, INITIALIZATIONS, WITH_GAIN
from cnnlab.models.parts.logits import Logits, LogitsMap
from cnnlab.models.parts.normalization import NORMS
from cnnlab.models.parts.stochastic_depth import StochasticDepth

Kernel = int | tuple[int, int]  # height and width in pixels


@dataclass(frozen=True)
class Layers:
    """What varies between the cells of an ablation; networks are handed it and never ask what is in it."""

    activation: str
    init: str
    init_std: float  # of init=gaussian
    paper_biases: bool  # whether biases begin as the paper's
    pool: str
    width: float
    norm: str
    norm_eps: float
    dropout: float
    spatial_dropout: float
    stochastic_depth: float

    def channels(self, paper: int, multiple_of: int = 1) -> int:
        """The paper's number of maps or features times model.width, rounded to a multiple but not below 90 % of it."""
        wanted = paper * self.width
        rounded = max(multiple_of, int(wanted + multiple_of / 2) // multiple_of * multiple_of)
        return rounded if rounded >= 0.9 * wanted else rounded + multiple_of

    def conv(
        self,
        c_in: int,
        c_out: int,
        kernel: Kernel,
        *,
        stride: int = 1,
        padding: Kernel = 0,
        groups: int = 1,
        bias: bool = True,
        normalize: bool = True,
        activate: bool = True,
        initial_bias: float = 0.0,
        rectified: bool = True,
    ) -> nn.Sequential:
        """Convolution, norm if any, activation: [N, c_in, H, W] -> [N, c_out, H', W'].

        bias=False is for networks whose paper has none even without a norm, normalize=False for those few
        convolutions that have no norm even where others do, rectified=False for those over what no activation made.
        """
        norm = self.normalization(c_out) if normalize else []
        with_bias = bias and not norm  # a norm has its own shift
        convolution = nn.Conv2d(c_in, c_out, kernel, stride, padding, groups=groups, bias=with_bias)
        self.initialize(convolution, initial_bias, rectified)
        parts: list[nn.Module] = [convolution, *norm]
        if activate:
            parts += [self.activate(), *self.drop_channels()]
        return nn.Sequential(*parts)

    def stack(self, c_in: int, c_out: int, field: int, kernel: int, *, padding: int | None = None) -> list[nn.Module]:
        """Convolutions of `kernel` pixels that together see `field`: one 5x5 = two 3x3, one 7x7 = three.

        padding: of the first; by default each keeps the image's size. (Simonyan and Zisserman, 2015, section 2.3)
        """
        convs: list[nn.Module] = []
        while field > 1:
            kernel = min(kernel, field)
            pad = kernel // 2 if padding is None else padding if not convs else 0
            convs.append(self.conv(c_in if not convs else c_out, c_out, kernel, padding=pad))
            field -= kernel - 1
        return convs

    def preactivated(
        self, c_in: int, c_out: int, kernel: Kernel, *, stride: int = 1, padding: Kernel = 0
    ) -> nn.Sequential:
        """Norm if any, activation, convolution without a bias: the order of He et al., 2016 (identity mappings)."""
        convolution = self.conv(
            c_in, c_out, kernel, stride=stride, padding=padding, bias=False, normalize=False, activate=False
        )
        return nn.Sequential(*self.normalization(c_in), self.activate(), *convolution, *self.drop_channels())

    def hidden(
        self, f_in: int, f_out: int, *, dropout: float | None = None, initial_bias: float = 0.0
    ) -> nn.Sequential:
        """A fully connected hidden layer: linear, activation, dropout if any (see `drop`)."""
        linear = nn.Linear(f_in, f_out)
        self.initialize(linear, initial_bias)
        return nn.Sequential(linear, self.activate(), *self.drop(dropout))

    def logits(self, f_in: int, num_classes: int) -> Logits:
        """The output layer: small weights, so that the loss starts near ln K however many features there are."""
        linear = Logits(f_in, num_classes)
        nn.init.normal_(linear.weight, std=0.1 / f_in**0.5)
        nn.init.zeros_(linear.bias)
        return linear

    def logits_map(self, c_in: int, num_classes: int) -> LogitsMap:
        """A 1x1 convolution with a map per class, to be averaged: [N, c_in, H, W] -> [N, num_classes, H, W]."""
        convolution = LogitsMap(c_in, num_classes, 1)
        nn.init.normal_(convolution.weight, std=0.1 / c_in**0.5)
        assert convolution.bias is not None
        nn.init.ones_(convolution.bias)  # alike for all classes: the ReLU after it begins alive
        return convolution

    def average_of_maps(self) -> list[nn.Module]:
        """ReLU, as part of the output whatever model.activation is, and the global average of each class' map."""
        return [nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]

    def fully_connected(
        self, f_in: int, hidden: Sequence[int], num_classes: int, initial_bias: float = 0.0
    ) -> nn.Sequential:
        """Flattened maps, hidden layers, logits."""
        head = nn.Sequential(nn.Flatten())
        for f_out in map(self.channels, hidden):
            head.append(self.hidden(f_in, f_out, initial_bias=initial_bias))
            f_in = f_out
        return head.append(self.logits(f_in, num_classes))

    def averaged(self, c_in: int, num_classes: int, drop: bool = True) -> nn.Sequential:
        """Global average (Lin et al., 2014, section 3.2), dropout if any, logits.

        drop=False is for networks whose paper has its dropout elsewhere.
        """
        average = [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        return nn.Sequential(*average, *(self.drop() if drop else []), self.logits(c_in, num_classes))

    def pooling(
        self,
        paper: str,
        kernel: int,
        *,
        stride: int | None = None,
        padding: int = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> nn.Module:
        """Spatial pooling of the paper's kind ('max' or 'avg'), unless model.pool says otherwise."""
        kind = paper if self.pool == "paper" else self.pool
        require_one_of("model.pool", kind, ("max", "avg"))
        if kind == "max":
            return nn.MaxPool2d(kernel, stride, padding, ceil_mode=ceil_mode)
        return nn.AvgPool2d(kernel, stride, padding, ceil_mode, count_include_pad)

    def activate(self) -> nn.Module:
        """The activation, not in place: a hook or a picture of its input stays possible."""
        return ACTIVATIONS[self.activation]()

    def initialize(self, layer: nn.Conv2d | nn.Linear, bias: float = 0.0, rectified: bool = True) -> None:
        """Draws the weights as model.init says; biases are constant.

        rectified: whether the inputs come from an activation, for which He's factor of 2 makes up.
        """
        require_one_of("model.init", self.init, INITIALIZATIONS)
        groups = layer.groups if isinstance(layer, nn.Conv2d) and self.init in BY_GROUP else 1
        with torch.no_grad():
            for weight in layer.weight.chunk(groups):  # a group is a layer of its own
                INITIALIZATIONS[self.init](weight, self.init_std)
        if not rectified and self.init in WITH_GAIN:
            with torch.no_grad():
                layer.weight.mul_(0.5**0.5)
        if layer.bias is not None:
            nn.init.constant_(layer.bias, bias)

    def paper_bias(self, value: float) -> float:
        """Where a bias begins that is 0 unless everything begins as in the paper."""
        return value if self.paper_biases else 0.0

    def normalization(self, channels: int) -> list[nn.Module]:
        """Nothing, or one norm over [N, channels, H, W]."""
        require_one_of("regularizer.norm", self.norm, NORMS)
        return NORMS[self.norm](channels, self.norm_eps)

    def drop(self, rate: float | None = None) -> list[nn.Module]:
        """Dropout of single features, before an output layer or in a hidden one (Srivastava et al., 2014).

        rate: the paper's own for this place, in place of regularizer.dropout where that is on.
        """
        return [nn.Dropout(rate or self.dropout)] if self.dropout else []

    def drop_channels(self) -> list[nn.Module]:
        """Dropout of whole feature maps, after each convolution (Tompson et al., 2015)."""
        return [nn.Dropout2d(self.spatial_dropout)] if self.spatial_dropout else []

    def drop_branch(self, depth: float) -> list[nn.Module]:
        """Stochastic depth for a residual branch at a relative depth in (0, 1]: linear decay, as the paper has it."""
        return [StochasticDepth(self.stochastic_depth * depth)] if self.stochastic_depth else []
