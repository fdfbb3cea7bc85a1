"""`cnnlab models` tells of every network, and of the user's own."""

from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from cnnlab.zoo import card, table
from conftest import stems


@pytest.mark.parametrize("model", stems("model"))
def test_every_network_has_a_card_with_all_that_is_told(model: str) -> None:
    about = card(model)
    assert about is not None
    assert {"year", "paper", "depth", "image", "classes", "parameters", "flops", "introduced"} <= set(about)


def test_all_networks_are_shown_from_the_oldest_on(
    command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("models") == 0
    told = capsys.readouterr().out
    assert all(f" {model} " in told for model in stems("model"))
    assert told.index(" lenet5 ") < told.index(" alexnet ") < told.index(" vgg16 ") < told.index(" mobilenet_v2 ")


def test_a_row_says_what_the_card_says(command: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    command("models", "vgg19")
    row = next(line for line in capsys.readouterr().out.splitlines() if "vgg19" in line)
    assert [cell.strip() for cell in row.split("│")[1:7]] == ["vgg19", "2014", "19", "143.67 M", "39.26 G", "3x224x224"]


def test_words_choose(command: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    command("models", "squeeze", "highway")
    told = capsys.readouterr().out
    assert "squeezenet1_1" in told
    assert "highway" in told
    assert "resnet" not in told


def test_a_word_that_is_in_no_name_is_refused(command: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert command("models", "vgg61") == 1
    assert "no network has vgg61 in its name. Did you mean vgg16?" in capsys.readouterr().err


def test_ones_own_network_without_a_card_is_shown(
    command: Callable[..., int], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "conf" / "model").mkdir(parents=True)
    (here / "conf" / "model" / "tinynet.yaml").write_text("# @package _global_\ndefaults: [_base]\n")
    assert command("models", "tinynet") == 0
    assert "tinynet" in capsys.readouterr().out


def test_the_numbers_fit_a_terminal_of_80_columns() -> None:
    told = table({model: card(model) for model in stems("model")}, [])
    assert Console(width=200).measure(told).maximum <= 80


def test_help_explains(command: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert command("models", "--help") == 0
    assert "cnnlab models [word ...]" in capsys.readouterr().out
