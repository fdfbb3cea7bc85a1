"""What the pictures compute, on networks that one can compute by hand."""

from pathlib import Path

import numpy as np
import pytest
import torch
from looked import NETWORKS, subject_of
from torch import Tensor, nn

from cnnlab.errors import UserError
from cnnlab.look.pictures.class_inputs import maximizing
from cnnlab.look.pictures.grad_cam import grad_cam
from cnnlab.look.pictures.landscape import direction, surface
from cnnlab.look.pictures.lr_finder import HIGH, range_test, smoothed, steepest
from cnnlab.look.spreads import Spreads, histogram, measured, middle, read_history, zeros
from cnnlab.look.stage_words import in_words
from cnnlab.look.subject import NotForThisRun
from cnnlab.look.through_relus import attributed
from cnnlab.losses import Objective, mean_cross_entropy
from cnnlab.models.stages import stages


class Rectified(nn.Module):
    """Two logits: of each pixel relu(x), times a weight of its own, and nothing."""

    def __init__(self, weights: Tensor) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.weights = weights

    def forward(self, images: Tensor) -> Tensor:
        logit = (self.relu(images) * self.weights).sum(dim=(1, 2, 3))
        return torch.stack([logit, 0 * logit], dim=1)


IMAGE = torch.tensor([[1.0, -1.0], [2.0, -2.0]]).view(1, 1, 2, 2)
WEIGHTS = torch.tensor([[3.0, 5.0], [-7.0, -9.0]])
FIRST = torch.tensor([0])


def test_guided_backpropagation_stops_where_input_or_gradient_is_negative() -> None:
    assert attributed("GuidedBackprop", Rectified(WEIGHTS), IMAGE, FIRST).flatten().tolist() == [3, 0, 0, 0]


def test_deconvolution_stops_where_the_gradient_is_negative() -> None:
    assert attributed("Deconvolution", Rectified(WEIGHTS), IMAGE, FIRST).flatten().tolist() == [3, 5, 0, 0]


def test_without_relus_neither_is_anything_else_than_the_gradient() -> None:
    with pytest.raises(NotForThisRun, match=r"model\.activation"):
        attributed("GuidedBackprop", nn.Tanh(), IMAGE, FIRST)


def test_grad_cam_peaks_where_the_map_that_speaks_for_the_class_is_active() -> None:
    class TwoCorners(nn.Module):
        """Class k is told by the mean of map k."""

        def __init__(self) -> None:
            super().__init__()
            self.maps = nn.Identity()

        def forward(self, images: Tensor) -> Tensor:
            logits: Tensor = self.maps(images).mean(dim=(2, 3))
            return logits

    images = torch.zeros(2, 2, 8, 8)
    images[:, 0, 0, 0] = images[:, 1, 7, 7] = 1
    net = TwoCorners()
    maps = grad_cam(net, net.maps, images.requires_grad_(), torch.tensor([0, 1]))
    assert [int(one.argmax()) for one in maps] == [0, 63]
    assert maps.amax(dim=(1, 2)).tolist() == [1, 1]


def test_inputs_that_maximize_a_class_look_like_its_weights() -> None:
    template = torch.zeros(2, 1, 16, 16)
    template[0, :, :8], template[0, :, 8:] = 1, -1
    template[1] = -template[0]
    net = nn.Sequential(nn.Flatten(), nn.Linear(256, 2, bias=False))
    net[1].weight.data = template.flatten(1)
    made = maximizing(net, torch.tensor([0, 1]), torch.zeros(1, 1, 1), torch.ones(1, 1, 1), 16, steps=20)
    assert made.min() >= 0
    assert made.max() <= 1
    assert made[0, 0, :6].mean() - made[0, 0, 10:].mean() > 0.5
    assert made[1, 0, 10:].mean() - made[1, 0, :6].mean() > 0.5


def test_a_direction_is_as_long_as_each_filter_and_leaves_biases() -> None:
    net = nn.Sequential(nn.Conv2d(2, 3, 3), nn.Flatten(), nn.Linear(12, 4))
    for weight, step in zip(net.parameters(), direction(net, 0), strict=True):
        if weight.ndim > 1:
            torch.testing.assert_close(step.flatten(1).norm(dim=1), weight.flatten(1).norm(dim=1))
        else:
            assert not step.any()


def test_in_the_middle_of_the_landscape_is_the_networks_own_loss() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(9, 4))
    images, labels = torch.randn(8, 1, 3, 3), torch.arange(8) % 4
    losses = surface(net, images, labels, np.array([-1.0, 0.0, 1.0]))
    own = mean_cross_entropy(net(images), labels).item()
    assert losses[1, 1] == pytest.approx(own, rel=1e-5)
    assert len(np.unique(losses)) == 9


def test_the_range_test_ends_when_the_loss_explodes(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "optim=sgd")
    rates, losses = range_test(subject, subject.initial())
    assert rates == sorted(rates)
    assert rates[-1] < HIGH
    assert min(losses) < 2.0


def test_a_running_mean_begins_without_bias_and_the_steepest_fall_is_found() -> None:
    assert smoothed([2.0, 2.0, 2.0]) == pytest.approx([2, 2, 2])
    assert steepest([1, 2, 3, 4, 5, 6], [5, 5, 5, 3, 1, 1]) == 4


def test_a_first_fall_by_chance_is_not_the_steepest_and_a_flat_curve_has_none() -> None:
    rates = [float(n) for n in range(40)]
    chance = [2.9, 2.5, 2.4] + [2.31, 2.29] * 9 + [2.3] * 19
    assert steepest(rates, chance) is None
    assert steepest(rates, chance[:30] + [2.3 - 0.1 * n for n in range(10)]) in rates[30:]


def test_sizes_are_counted_by_decades_and_zeros_apart() -> None:
    counts = histogram(torch.tensor([0.0, 0.0, 1e-3, -1e-3, 1e-3, 0.0]))
    assert zeros(counts) == 0.5
    assert counts.sum() == 6
    assert middle(counts) == pytest.approx(-3, abs=0.1)
    assert np.isnan(middle(histogram(torch.zeros(3))))


def test_a_layer_with_smaller_weights_has_smaller_activations_and_passes_smaller_gradients_back(tmp_path: Path) -> None:
    subject = subject_of(tmp_path)
    images, labels = subject.fixed_batch(8)
    before = measured(subject.net, Objective(0, 0.3), images, labels)
    hidden = next(stage for stage in stages(subject.net) if in_words(stage) == "hidden")
    with torch.no_grad():
        hidden[0].weight.mul_(0.01)  # type: ignore[index]
        hidden[0].bias.mul_(0.01)  # type: ignore[index]
    after = measured(subject.net, Objective(0, 0.3), images, labels)
    assert before.names == ("1 conv 5x5", "3 conv 5x5", "6 hidden", "7 hidden", "8 output")
    assert middle(after.activations[2]) == pytest.approx(middle(before.activations[2]) - 2, abs=0.15)
    assert middle(after.gradients[1]) == pytest.approx(middle(before.gradients[1]) - 2, abs=0.3)
    assert middle(after.activations[0]) == middle(before.activations[0])


def test_auxiliary_heads_are_not_among_the_layers(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "model=googlenet", *NETWORKS["googlenet"])
    names = measured(subject.net, Objective(0, 0.3), *subject.fixed_batch(4)).names
    assert len(names) == 3 + 9 + 1
    assert names[-1].endswith("output")


def spreads(value: int) -> Spreads:
    return Spreads(("a",), np.full((1, 3), value), np.full((1, 3), -value))


def test_a_record_is_written_and_read_and_what_is_trained_again_replaces_it(tmp_path: Path) -> None:
    file = tmp_path / "record.npz"
    for epoch, value in [(0, 1), (1, 2), (2, 3), (1, 4)]:
        read_history(file).with_one(epoch, spreads(value)).write(file)
    history = read_history(file)
    assert history.epochs == [0, 1]
    assert [int(one.activations[0, 0]) for one in history.spreads] == [1, 4]
    assert [int(one.gradients[0, 0]) for one in history.spreads] == [-1, -4]


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    (tmp_path / "record.npz").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(UserError, match=r"record\.npz cannot be read"):
        read_history(tmp_path / "record.npz")
