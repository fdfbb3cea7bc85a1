"""Scores equal torchmetrics' own."""

import pytest
import torch
from torchmetrics.functional.classification import (
    multiclass_accuracy,
    multiclass_f1_score,
    multiclass_precision,
    multiclass_recall,
)

from cnnlab.metrics import Scores


def scored(classes: int, sizes: list[int]) -> tuple[dict[str, torch.Tensor], torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    scores = Scores(classes)
    batches = [
        (torch.randn(n, classes, generator=generator), torch.randint(classes, (n,), generator=generator)) for n in sizes
    ]
    for logits, labels in batches:
        loss = torch.nn.functional.cross_entropy(logits, labels)
        scores.update(logits, labels, loss, 2 * loss)
    logits, labels = (torch.cat(parts) for parts in zip(*batches, strict=True))
    return scores.compute(), logits, labels


@pytest.mark.parametrize("classes", [3, 10, 50])
def test_accuracy_top5_and_macro_f1_equal_torchmetrics(classes: int) -> None:
    values, logits, labels = scored(classes, [32, 32, 7])
    top = min(5, classes)
    assert values["accuracy"] == multiclass_accuracy(logits, labels, classes, average="micro")
    assert values["top5_accuracy"] == multiclass_accuracy(logits, labels, classes, average="micro", top_k=top)
    assert values["macro_f1"] == pytest.approx(multiclass_f1_score(logits, labels, classes).item())


def test_scores_of_each_class_equal_torchmetrics() -> None:
    values, logits, labels = scored(6, [64, 64])
    images, *shares = values["per_class"].T
    assert images.tolist() == torch.bincount(labels, minlength=6).tolist()
    for share, metric in zip(shares, (multiclass_recall, multiclass_precision, multiclass_f1_score), strict=True):
        assert torch.allclose(share, metric(logits, labels, 6, average=None))


def test_losses_are_means_over_images_whatever_the_batches() -> None:
    values, logits, labels = scored(5, [32, 7])
    expected = torch.nn.functional.cross_entropy(logits, labels).item()
    assert values["loss"] == pytest.approx(expected, rel=1e-6)
    assert values["objective"] == pytest.approx(2 * expected, rel=1e-6)


def test_reset_forgets() -> None:
    scores = Scores(2)
    loss = torch.tensor(1.0)
    scores.update(torch.eye(2), torch.tensor([1, 0]), loss, loss)
    scores.reset()
    scores.update(torch.eye(2), torch.tensor([0, 1]), loss, loss)
    assert scores.compute()["accuracy"] == 1


def test_scores_are_not_in_checkpoints() -> None:
    assert Scores(3).state_dict() == {}
