"""What training minimizes, and what everything reports."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnlab.mixing import Targets

Outputs = Tensor | tuple[Tensor, ...]


def mean_cross_entropy(logits: Tensor, labels: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """Mean over a batch, computed in float32 at least: logits [N, K], labels [N]."""
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    return F.cross_entropy(logits, labels, label_smoothing=label_smoothing)


def shared_cross_entropy(logits: Tensor, targets: Targets, label_smoothing: float = 0.0) -> Tensor:
    """The same for mixed images: that of the labels and that of their partners, by their shares."""
    own = mean_cross_entropy(logits, targets.labels, label_smoothing)
    if targets.partners is None:
        return own
    return targets.share * own + (1 - targets.share) * mean_cross_entropy(logits, targets.partners, label_smoothing)


class Objective(nn.Module):
    """Cross entropy with smoothed labels, (1 - e) * one-hot + e / K, plus weighted auxiliary heads.

    In training a network may return (logits, *auxiliary); nobody else knows.
    """

    def __init__(self, label_smoothing: float, auxiliary_weight: float) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing
        self.auxiliary_weight = auxiliary_weight

    def forward(self, outputs: Outputs, targets: Targets) -> tuple[Tensor, Tensor, Tensor]:
        """Objective and plain cross entropy (means over the batch), and the main head's logits [N, K]."""
        logits, *auxiliary = outputs if isinstance(outputs, tuple) else (outputs,)
        cross_entropy = shared_cross_entropy(logits, targets)
        smoothed = self._smoothed(logits, targets) if self.label_smoothing else cross_entropy
        extra = [self.auxiliary_weight * self._smoothed(head, targets) for head in auxiliary]
        return sum(extra, start=smoothed), cross_entropy, logits

    def _smoothed(self, logits: Tensor, targets: Targets) -> Tensor:
        return shared_cross_entropy(logits, targets, self.label_smoothing)
