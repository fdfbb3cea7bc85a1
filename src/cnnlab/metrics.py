"""Accuracy, top-5 accuracy, macro-F1 and losses, as sums that stay on the device until an epoch ends."""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

AT_ONCE = 64  # batches whose labels and losses are kept until they are summed up


class Scores(Metric):
    """Sums over an epoch; torchmetrics adds them up over the processes of a DDP run.

    `add_batch` launches one kernel and waits for nothing; `compute` gives plain values. Whenever the sums are taken,
    they are the same to the last bit: counts are whole numbers, and losses are added one after the other.
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
        self.waiting: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []
        for name in ("true_positives", "predicted", "actual"):
            self.add_state(name, torch.zeros(num_classes, dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("in_top5", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")
        for name in ("cross_entropy", "objective"):
            self.add_state(name, torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, logits: Tensor, labels: Tensor, cross_entropy: Tensor, objective: Tensor) -> None:
        """The same as add_batch, in torchmetrics' way, which takes longer."""
        self.add_batch(logits, labels, cross_entropy, objective)

    def add_batch(self, logits: Tensor, labels: Tensor, cross_entropy: Tensor, objective: Tensor) -> None:
        """Adds a batch: logits [N, K], labels [N], and the batch's mean losses."""
        if not self.waiting:  # what torchmetrics notes in each `update`
            self._update_count, self._computed = self._update_count + 1, None
        top = logits.detach().topk(self.top).indices
        self.waiting.append((top, labels, cross_entropy.detach(), objective.detach()))
        if len(self.waiting) == AT_ONCE:
            self.sum_up()

    def sum_up(self) -> None:
        """Whatever is still waiting."""
        if not self.waiting:
            return
        tops, labels_of, cross_entropies, objectives = zip(*self.waiting, strict=True)
        self.waiting.clear()
        top, labels = torch.cat(tops), torch.cat(labels_of)
        first, ones = top[:, 0], torch.ones_like(labels)
        self.true_positives.index_add_(0, labels, (first == labels).long())
        self.predicted.index_add_(0, first, ones)
        self.actual.index_add_(0, labels, ones)
        self.in_top5 += (top == labels[:, None]).sum()
        losses = torch.stack([torch.stack(cross_entropies), torch.stack(objectives)]).tolist()
        for total, means in zip((self.cross_entropy, self.objective), losses, strict=True):
            value = total.item()
            for mean, of_a_batch in zip(means, labels_of, strict=True):
                value += mean * len(of_a_batch)
            total.fill_(value)

    def sync(self, *arguments: Any, **more: Any) -> None:
        """With nothing left waiting."""
        self.sum_up()
        super().sync(*arguments, **more)

    def reset(self) -> None:
        """To nothing."""
        self.waiting.clear()
        super().reset()

    def sums(self) -> dict[str, Tensor]:
        """What is summed up so far in this process, for a run that goes on."""
        self.sum_up()
        return {name: getattr(self, name).cpu().clone() for name in self._defaults}

    def sums_here(self) -> list[Tensor]:
        """The same as they are, on the device."""
        self.sum_up()
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
        self.sum_up()
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
