"""Accuracy, top-5 accuracy, macro-F1 and losses, as sums that stay on the device until an epoch ends."""

import torch
from torch import Tensor
from torchmetrics import Metric


class Scores(Metric):
    """Sums over an epoch; torchmetrics adds them up over the processes of a DDP run.

    `update` launches a few kernels and waits for nothing; `compute` gives plain values.
    """

    full_state_update = False
    true_positives: Tensor
    predicted: Tensor
    actual: Tensor
    in_top5: Tensor
    cross_entropy: Tensor
    objective: Tensor

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.top = min(5, num_classes)
        for name in ("true_positives", "predicted", "actual"):
            self.add_state(name, torch.zeros(num_classes, dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("in_top5", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")
        for name in ("cross_entropy", "objective"):
            self.add_state(name, torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, logits: Tensor, labels: Tensor, cross_entropy: Tensor, objective: Tensor) -> None:
        """Adds a batch: logits [N, K], labels [N], and the batch's mean losses."""
        logits = logits.detach()
        top = logits.topk(self.top).indices
        first = top[:, 0]
        ones = torch.ones_like(labels)
        self.true_positives.index_add_(0, labels, (first == labels).long())
        self.predicted.index_add_(0, first, ones)
        self.actual.index_add_(0, labels, ones)
        self.in_top5 += (top == labels[:, None]).sum()
        self.cross_entropy += cross_entropy.detach().double() * len(labels)
        self.objective += objective.detach().double() * len(labels)

    def sums(self) -> dict[str, Tensor]:
        """What is summed up so far in this process, for a run that goes on."""
        return {name: getattr(self, name).cpu().clone() for name in self._defaults}

    def sums_here(self) -> list[Tensor]:
        """The same as they are, on the device."""
        return [getattr(self, name) for name in self._defaults]

    def add(self, sums: dict[str, Tensor]) -> None:
        """To begin with them."""
        for name, values in sums.items():
            getattr(self, name).add_(values.to(self.device))
        self._update_count += 1

    def compute(self) -> dict[str, Tensor]:
        """Means over the epoch; macro-F1 is over the classes that occur or were predicted.

        per_class: [K, 4], number of images, accuracy (recall), precision, F1; nan where there is nothing to divide by.
        """
        count = self.actual.sum()
        occurring = (self.predicted + self.actual) > 0
        f1 = 2 * self.true_positives / (self.predicted + self.actual)
        shares = [self.true_positives / self.actual, self.true_positives / self.predicted, f1]
        return {
            "loss": self.cross_entropy / count,
            "objective": self.objective / count,
            "accuracy": self.true_positives.sum() / count,
            "top5_accuracy": self.in_top5 / count,
            "macro_f1": f1[occurring].mean(),
            "per_class": torch.stack([self.actual, *shares], dim=1),
        }
