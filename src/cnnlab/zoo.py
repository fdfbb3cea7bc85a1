"""The networks, as `cnnlab models` tells of them: each file of conf/model has a card."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.table import Table

from cnnlab.conf import choices, conf_folder, refuse_hidden
from cnnlab.errors import UserError, did_you_mean

TOLD = ("year", "paper", "depth", "image", "parameters", "flops", "introduced")
WIDE = 180  # columns, where there is no terminal that has a width
WORDS = {"introduced": 110, "paper": 130}  # columns of a terminal from which on there is room for them


def card(name: str) -> DictConfig | None:
    """What a model's file, or the file it builds on, says about its network; None where none says anything."""
    beside = Path("conf", "model", f"{name}.yaml")
    path = beside if beside.is_file() else conf_folder() / "model" / f"{name}.yaml"
    config = OmegaConf.load(path)
    assert isinstance(config, DictConfig)
    own = OmegaConf.select(config, "model.card")
    if own is not None:
        return own  # type: ignore[no-any-return]
    built_on = [base for base in config.get("defaults", []) if isinstance(base, str) and base != "_self_"]
    return next((found for base in built_on if (found := card(base)) is not None), None)


def show(words: list[str]) -> None:
    """Prints the networks whose names contain one of the words, or all, by the year of their paper.

    Raises:
        UserError: no name contains one of them.
    """
    if Path("conf").is_dir() and Path("conf").absolute() != conf_folder():
        refuse_hidden(Path("conf"))
    names = choices("model")
    words = [word.lower() for word in words]
    for word in words:
        if not any(word in name for name in names):
            raise UserError(f"no network has {word} in its name.{did_you_mean(word, names)}")
    chosen = [name for name in names if not words or any(word in name for word in words)]
    cards = {name: complete(name, card(name)) for name in chosen}
    console = Console() if Console().is_terminal else Console(width=WIDE)
    shown = [name for name, least in WORDS.items() if console.width >= least]
    console.print(table(dict(sorted(cards.items(), key=order)), shown))
    if missing := WORDS.keys() - set(shown):
        console.print(f"{' and '.join(sorted(missing))}: in a wider terminal, or cnnlab models | less -S", style="dim")


def complete(name: str, about: DictConfig | None) -> DictConfig | None:
    """The card, if it has all that is told.

    Raises:
        UserError: it lacks something.
    """
    missing = [key for key in TOLD if about is not None and key not in about]
    if missing:
        raise UserError(f"conf/model/{name}.yaml: model.card lacks {', '.join(missing)}")
    return about


def order(item: tuple[str, DictConfig | None]) -> tuple[int, str, int]:
    """By year, paper and depth; networks without a card come last."""
    _, about = item
    return (about.year, about.paper, about.depth) if about else (9999, "", 0)


def table(cards: dict[str, DictConfig | None], words: Sequence[str] = tuple(WORDS)) -> Table:
    """One row a network, with those of its words; FLOPs are those of one image of the size that its paper has."""
    shown = Table()
    shown.add_column("model", no_wrap=True)
    for column in ("year", "depth", "parameters", "FLOPs", "image"):
        shown.add_column(column, justify="right", no_wrap=True)
    for word in words:
        shown.add_column(word)
    for name, about in cards.items():
        shown.add_row(name, *(columns(about) if about else []), *(about[word] for word in words if about))
    return shown


def columns(about: Any) -> list[str]:
    """The numbers, as text."""
    size = "x".join(str(n) for n in about.image)
    return [
        str(about.year),
        str(about.depth),
        f"{about.parameters / 1e6:.2f} M",
        f"{about.flops / 1e9:,.2f} G" if about.flops > 1e9 else f"{about.flops / 1e6:,.2f} M",
        size,
    ]
