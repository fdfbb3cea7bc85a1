from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from cnnlab.losses import Objective
from cnnlab.mixing import Mixing, Targets, cut_and_mixed, mixed_up
from conftest import compose_config, stems

LABELS = torch.arange(16) % 4


def images() -> Tensor:
    """Image n is filled with the number n."""
    return torch.arange(16.0).view(-1, 1, 1, 1).expand(16, 3, 8, 8).clone()


def mixed(mixup: float, cutmix: float, seed: int = 0) -> tuple[Tensor, Targets]:
    torch.manual_seed(seed)
    return Mixing(mixup, cutmix)(images(), LABELS)


def test_nothing_is_mixed_unless_asked_for() -> None:
    given = images()
    out, targets = Mixing(0.0, 0.0)(given, LABELS)
    assert out is given
    assert (targets.partners, targets.share, targets.main is LABELS) == (None, 1.0, True)


@pytest.mark.parametrize("seed", range(5))
def test_mixup_weighs_pixels_and_labels_alike(seed: int) -> None:
    out, targets = mixed(1.0, 0.0, seed)
    assert targets.partners is not None
    partners = (out[:, 0, 0, 0] - targets.share * torch.arange(16)) / (1 - targets.share)
    assert torch.equal(LABELS[partners.round().long()], targets.partners)
    assert (out == out[:, :1, :1, :1]).all()


@pytest.mark.parametrize("seed", range(8))
def test_cutmix_weighs_labels_by_the_pixels_that_are_left(seed: int) -> None:
    out, targets = mixed(0.0, 1.0, seed)
    own = (out == torch.arange(16.0).view(-1, 1, 1, 1)).float().mean(dim=(1, 2, 3))
    moved = own < 1  # an image may be its own partner
    assert torch.allclose(own[moved], torch.full_like(own[moved], targets.share))


def test_a_cut_is_a_box_with_the_sides_of_the_paper() -> None:
    torch.manual_seed(0)
    shares = [cut_and_mixed(images(), images() + 1, 0.75)[1] for _ in range(200)]
    assert min(shares) == pytest.approx(0.75)  # 4 x 4 of 8 x 8, if none of it is outside
    assert max(shares) < 1


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_mixup_is_the_weighted_mean(share: float) -> None:
    out, kept = mixed_up(torch.full((1, 1, 2, 2), 10.0), torch.zeros(1, 1, 2, 2), share)
    assert kept == share
    assert torch.allclose(out, torch.full_like(out, 10 * share))


def test_the_same_seed_of_torch_mixes_the_same() -> None:
    (a, x), (b, y) = mixed(1.0, 1.0, 3), mixed(1.0, 1.0, 3)
    assert torch.equal(a, b)
    assert x.share == y.share


def test_with_both_on_each_batch_gets_one_of_them() -> None:
    smooth = [bool((out == out[:, :1, :1, :1]).all()) for out, _ in (mixed(1.0, 1.0, seed) for seed in range(60))]
    assert 15 < sum(smooth) < 45


def test_shares_are_drawn_from_beta() -> None:
    shares = [mixed(0.2, 0.0, seed)[1].share for seed in range(1500)]
    assert np.mean(shares) == pytest.approx(0.5, abs=0.03)
    assert np.var(shares) == pytest.approx(1 / (4 * (2 * 0.2 + 1)), abs=0.01)


def test_the_images_that_were_handed_in_stay_as_they_were() -> None:
    for mixup, cutmix in ((1.0, 0.0), (0.0, 1.0)):
        given = images()
        Mixing(mixup, cutmix)(given, LABELS)
        assert torch.equal(given, images())


def test_the_objective_of_mixed_labels_is_that_of_the_mixed_distribution() -> None:
    logits = torch.randn(16, 4, generator=torch.Generator().manual_seed(0))
    partners = LABELS.roll(3)
    soft = 0.7 * F.one_hot(LABELS, 4) + 0.3 * F.one_hot(partners, 4)
    for smoothing in (0.0, 0.1):
        expected = F.cross_entropy(logits, soft, label_smoothing=smoothing)
        assert torch.allclose(Objective(smoothing, 0.3)(logits, Targets(LABELS, partners, 0.7))[0], expected)


def test_auxiliary_heads_learn_the_mixed_labels_with_their_weight() -> None:
    heads = torch.randn(3, 16, 4, generator=torch.Generator().manual_seed(0))
    mixed_labels = Targets(LABELS, LABELS.roll(3), 0.7)
    alone = [Objective(0.1, 0.3)(head, mixed_labels)[0] for head in heads]
    together = Objective(0.1, 0.3)(tuple(heads), mixed_labels)[0]
    assert torch.allclose(together, alone[0] + 0.3 * alone[1] + 0.3 * alone[2])


def test_training_accuracy_counts_the_label_that_weighs_more() -> None:
    partners = LABELS.roll(1)
    assert torch.equal(Targets(LABELS, partners, 0.6).main, LABELS)
    assert torch.equal(Targets(LABELS, partners, 0.4).main, partners)


@pytest.mark.parametrize("stem", ["mixup", "cutmix"])
def test_each_can_be_turned_on_and_off_by_name(stem: str) -> None:
    on: dict[str, Any] = compose_config(f"regularizer=[none,{stem}]")["regularizer"]
    assert on[stem] == 1.0
    assert compose_config(f"regularizer=[{stem},no_{stem}]")["regularizer"][stem] == 0.0
    assert {stem, f"no_{stem}"} <= set(stems("regularizer"))
