"""Each picture is drawn, for networks of four kinds, and shows what it says."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from looked import NETWORKS, predict, subject_of
from matplotlib.figure import Figure
from PIL import Image

from cnnlab.data.resize import fit_to
from cnnlab.look.gallery import names, picture, saved
from cnnlab.look.pictures.confusion import counts
from cnnlab.look.pictures.mistakes import worst
from cnnlab.look.spreads import RECORD, History, measured
from cnnlab.look.subject import Subject, in_turn
from cnnlab.losses import Objective
from cnnlab.report.prediction_file import Predictions

LIGHT = ["lenet5", *(pytest.param(name, marks=pytest.mark.slow) for name in NETWORKS if name != "lenet5")]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes long is done in a few steps."""
    for name, key in {"class_inputs": "STEPS", "landscape": "POINTS", "lr_finder": "STEPS"}.items():
        monkeypatch.setattr(picture(name), key, 5)


def with_record(subject: Subject) -> Subject:
    """As callbacks=[default,pictures] leaves it."""
    spreads = measured(subject.net, Objective(0, 0.3), *subject.fixed_batch(8))
    History([0, 1], [spreads, spreads]).write(subject.folder / "pictures" / RECORD)
    return subject


def images_in(figure: Figure) -> list[Any]:
    return [image for axes in figure.axes for image in axes.get_images()]


def words_in(figure: Figure) -> str:
    titles = [axes.get_title() for axes in figure.axes]
    return "\n".join([figure.get_suptitle(), *titles, *(text.get_text() for text in figure.texts)])


@pytest.mark.parametrize("model", LIGHT)
@pytest.mark.parametrize("name", names())
def test_every_picture_is_drawn_for_every_kind_of_network(name: str, model: str, tmp_path: Path) -> None:
    subject = with_record(subject_of(tmp_path, f"model={model}", *NETWORKS[model]))
    before = {name: tensor.clone() for name, tensor in subject.net.state_dict().items()}
    file = saved(picture(name).draw(subject), tmp_path / f"{name}.png")
    with Image.open(file) as image:
        pixels = np.asarray(image.convert("L"))
    assert pixels.shape[1] <= 1200
    assert pixels.std() > 10
    # nothing is cut off at the edges: they are white, but for images that reach them
    assert (pixels[[0, -1]] == 255).mean() > 0.99
    # the network is as it was
    assert not subject.net.training
    assert all(parameter.grad is None and parameter.requires_grad for parameter in subject.net.parameters())
    assert all(torch.equal(before[name], tensor) for name, tensor in subject.net.state_dict().items())


def test_confusion_counts_true_classes_in_rows() -> None:
    table = counts(np.array([0, 0, 1, 2]), np.array([0, 2, 1, 1]), 3)
    assert table.tolist() == [[1, 0, 1], [0, 1, 0], [0, 1, 0]]


def test_confusion_writes_each_number_of_images(tmp_path: Path) -> None:
    subject = subject_of(tmp_path)
    predict(subject, np.eye(10)[[3] * 20])
    figure = picture("confusion").draw(subject)
    written = [int(text.get_text()) for text in figure.axes[0].texts]
    assert sum(written) == 20
    assert {text.get_position()[0] for text in figure.axes[0].texts} == {3}


def test_the_worst_mistake_is_the_surest() -> None:
    probabilities = np.array([[0.9, 0.1], [0.3, 0.7], [0.2, 0.8], [0.6, 0.4]], np.float32)
    predictions = Predictions(np.arange(4), np.array([0, 0, 0, 1]), probabilities)
    assert worst(predictions, 9).tolist() == [2, 1, 3]
    assert worst(predictions, 9, label=1).tolist() == [3]


def test_mistakes_are_shown_with_both_probabilities(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, count=2)
    labels = subject.set_of("test").labels[:3]
    probabilities = np.eye(10)[labels]
    wrong = (labels[1] + 1) % 10
    probabilities[1, [labels[1], wrong]] = [0.2, 0.8]
    predict(subject, probabilities)
    figure = picture("mistakes").draw(subject)
    assert len(images_in(figure)) == 1
    assert f"is {labels[1]} (20 %)\nsays {wrong} (80 %)" in words_in(figure)


def test_no_mistakes_are_told(tmp_path: Path) -> None:
    subject = subject_of(tmp_path)
    predict(subject, np.eye(10)[subject.set_of("test").labels])
    figure = picture("mistakes").draw(subject)
    assert "No image is taken for another class" in words_in(figure)


def test_filters_are_as_many_as_the_first_layer_has(tmp_path: Path) -> None:
    assert len(images_in(picture("filters").draw(subject_of(tmp_path)))) == 6


def test_feature_maps_show_each_stage_that_has_maps(tmp_path: Path) -> None:
    figure = picture("feature_maps").draw(subject_of(tmp_path))
    told = "\n".join(text.get_text() for axes in figure.axes for text in axes.texts)
    for words in ("6 maps of 28x28", "6 maps of 14x14", "16 maps of 10x10", "16 maps of 5x5"):
        assert words in told


@pytest.mark.parametrize("model", LIGHT)
def test_the_diagram_has_the_networks_weights_and_operations(model: str, tmp_path: Path) -> None:
    from cnnlab import cost

    subject = subject_of(
        tmp_path, f"model={model}", *NETWORKS[model], *(["model.auxiliary=false"] if model == "googlenet" else [])
    )
    rows = picture("diagram").rows_of(subject.net, 1, 32)
    assert sum(row.parameters for row in rows) == cost.parameters(subject.net)
    assert sum(row.flops for row in rows) == cost.flops(subject.net, 1, 32)
    assert rows[-1].shape == (10,)


def test_a_sample_takes_turns_through_the_classes() -> None:
    labels = np.array([1, 1, 0, 2, 0])
    assert in_turn(labels).tolist() == [2, 0, 3, 4, 1]
    assert in_turn(labels, only=1).tolist() == [0, 1]


def test_one_class_is_shown_alone(tmp_path: Path) -> None:
    assert set(subject_of(tmp_path, count=6, class_name="7").sample.labels.tolist()) == {7}


def test_pixels_are_those_of_the_data_set(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, count=1)
    data = subject.set_of("val")
    raw = fit_to(data.images[int(in_turn(data.labels)[0])], 32)
    assert np.allclose(subject.pixels(subject.sample.images)[0], raw / 255, atol=1e-6)
