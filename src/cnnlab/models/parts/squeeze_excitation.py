"""Squeeze and excitation (Hu, Shen, Sun, 2018, fig. 2 and section 3)."""

from torch import Tensor, nn

from cnnlab.models.layers import Layers


class SqueezeExcitation(nn.Module):
    """Scales each map by a gate in 0..1 that is computed from the averages of all maps."""

    def __init__(self, layers: Layers, channels: int, reduction: int) -> None:
        super().__init__()
        narrow = max(1, channels // reduction)
        squeeze = nn.Linear(channels, narrow)
        excite = nn.Linear(narrow, channels)
        layers.initialize(squeeze)
        layers.initialize(excite)
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            squeeze,
            layers.activate(),
            excite,
            nn.Sigmoid(),
            nn.Unflatten(1, (channels, 1, 1)),
        )

    def forward(self, maps: Tensor) -> Tensor:
        out: Tensor = maps * self.gate(maps)
        return out
