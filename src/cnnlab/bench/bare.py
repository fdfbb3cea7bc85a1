"""Digits and LeNet-5 with torch alone: the least that a first training step can take. python -m cnnlab.bench.bare"""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


def lenet5() -> nn.Module:
    """As tutorials write it."""
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )


if __name__ == "__main__":
    digits = load_digits()
    images = F.interpolate(torch.from_numpy(digits.images[:32]).float().unsqueeze(1) / 16, 32)
    net = lenet5()
    optimizer = torch.optim.Adam(net.parameters())
    F.cross_entropy(net(images), torch.from_numpy(digits.target[:32])).backward()  # type: ignore[no-untyped-call]
    optimizer.step()
