"""What training minimizes."""

import pytest
import torch
import torch.nn.functional as F

from cnnlab.losses import Objective
from cnnlab.mixing import Targets

LOGITS = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0, 1, 2, 3, 0, 1])


@pytest.mark.parametrize("e", [0.0, 0.1, 0.5])
def test_smoothing_is_the_formula(e: float) -> None:
    targets = (1 - e) * F.one_hot(LABELS, 4) + e / 4
    expected = -(targets * LOGITS.log_softmax(dim=1)).sum(dim=1).mean()
    assert Objective(e, 0.3)(LOGITS, Targets(LABELS))[0] == pytest.approx(expected.item())


def test_cross_entropy_is_reported_unsmoothed() -> None:
    assert Objective(0.3, 0.3)(LOGITS, Targets(LABELS))[1] == F.cross_entropy(LOGITS, LABELS)


def test_auxiliary_heads_add_their_weighted_loss() -> None:
    plain = F.cross_entropy(LOGITS, LABELS)
    total, reported, logits = Objective(0.0, 0.3)((LOGITS, LOGITS, LOGITS), Targets(LABELS))
    assert total == pytest.approx(1.6 * plain.item())
    assert reported == plain
    assert logits is LOGITS
