"""Residual branches that are skipped at random."""

import torch
from torch import Tensor, nn


class StochasticDepth(nn.Module):
    """Drops a residual branch for a whole image with probability p, in training (Huang et al., 2016).

    A branch that stays is scaled by 1 / (1 - p), so that evaluation needs no correction.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, branch: Tensor) -> Tensor:
        if not self.training:
            return branch
        keep = torch.empty(branch.shape[0], 1, 1, 1, dtype=branch.dtype, device=branch.device).bernoulli_(1 - self.p)
        return branch * keep / (1 - self.p)

    def extra_repr(self) -> str:
        return f"p={self.p:.3g}"
