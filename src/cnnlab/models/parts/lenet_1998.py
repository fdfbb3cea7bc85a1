"""The parts of LeNet-5 that later networks dropped (LeCun et al., 1998, section II.B)."""

import torch
from torch import Tensor, nn

from cnnlab.models.layers import Layers

# Table I: which maps of S2 each of the sixteen maps of C3 sees.
C3_SEES = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5), (0, 1, 2, 3, 4, 5)),
)
# Stylized digits of 7x12 pixels, drawn after fig. 3.
DIGITS = """
..###.. ...#... .#####. .#####. ....##. ####### ..####. ####### .#####. .#####.
.#...#. ..##... #.....# #.....# ...#.#. #...... .#..... ......# #.....# #.....#
#.....# .#.#... ......# ......# ..#..#. #...... #...... .....#. #.....# #.....#
#.....# ...#... ......# ......# .#...#. #...... #...... .....#. #.....# #.....#
#.....# ...#... .....#. ..####. #....#. ######. #.####. ....#.. .#####. .######
#.....# ...#... ....#.. ......# #....#. ......# ##....# ....#.. #.....# ......#
#.....# ...#... ...#... ......# ####### ......# #.....# ...#... #.....# ......#
#.....# ...#... ..#.... ......# .....#. ......# #.....# ...#... #.....# ......#
#.....# ...#... .#..... ......# .....#. ......# #.....# ..#.... #.....# .....#.
.#...#. ...#... #...... #.....# .....#. #.....# #.....# ..#.... #.....# ....#..
..###.. .#####. ####### .#####. .....#. .#####. .#####. ..#.... .#####. .###...
....... ....... ....... ....... ....... ....... ....... ....... ....... .......
"""


class Subsampling(nn.Module):
    """The sum of 2x2 pixels times a trainable coefficient, plus a bias, squashed; two parameters a map."""

    def __init__(self, layers: Layers, channels: int) -> None:
        super().__init__()
        self.sum = nn.AvgPool2d(2, divisor_override=1)
        self.coefficient = nn.Parameter(torch.empty(channels, 1, 1).uniform_(-0.6, 0.6))  # 2.4 / 4 inputs
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))
        self.squash = layers.activate()

    def forward(self, maps: Tensor) -> Tensor:
        out: Tensor = self.squash(self.sum(maps) * self.coefficient + self.bias)
        return out


class PartialConvolution(nn.Module):
    """C3: sixteen 5x5 convolutions, each over some of the six maps: [N, 6, 14, 14] -> [N, 16, 10, 10]."""

    def __init__(self, layers: Layers) -> None:
        super().__init__()
        norm = layers.normalization(len(C3_SEES))
        self.maps = nn.ModuleList(
            layers.conv(len(seen), 1, 5, bias=not norm, normalize=False, activate=False) for seen in C3_SEES
        )
        self.after = nn.Sequential(*norm, layers.activate(), *layers.drop_channels())

    def forward(self, x: Tensor) -> Tensor:
        seen = [convolution(x[:, inputs]) for convolution, inputs in zip(self.maps, map(list, C3_SEES), strict=True)]
        out: Tensor = self.after(torch.cat(seen, dim=1))
        return out


class OutputCodes(nn.Module):
    """Euclidean radial basis functions: minus the squared distance to each class' code of +1 and -1.

    [N, 84] -> [N, 10]. Cross entropy over them is the paper's criterion (eq. 9) without its constant.
    """

    codes: Tensor

    def __init__(self) -> None:
        super().__init__()
        rows = [line.split() for line in DIGITS.split("\n") if line]
        codes = [[1.0 if pixel == "#" else -1.0 for row in rows for pixel in row[digit]] for digit in range(10)]
        self.register_buffer("codes", torch.tensor(codes), persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        return -(features.unsqueeze(1) - self.codes).square().sum(dim=2)
