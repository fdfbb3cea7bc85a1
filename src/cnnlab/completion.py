"""What the Tab key offers: commands, groups and their choices, keys, studies and runs."""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import argcomplete  # Apache-2.0: asks in bash, zsh and fish alike, and quotes what it gives back
from argcomplete.completers import SuppressCompleter
from argcomplete.shell_integration import shellcode

from cnnlab.errors import UserError, require_one_of

SHELLS = ("bash", "zsh", "fish")
COMPOSING = ("train", "plan", "data", "bench")  # commands whose words are overrides
OF_STUDIES = ("status", "report", "dashboard")
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "train": ("-m", "--cfg", "--resolve", "--config-dir", "--quiet", "--help"),
    "plan": ("--all", "--help"),
    "status": ("--watch", "--json", "--all", "--help"),
    "report": ("--rows", "--columns", "--metric", "--baseline", "--watch", "--output", "--wandb", "--help"),
}


def completion(arguments: Sequence[str]) -> None:
    """Prints the lines that make a shell ask.

    Raises:
        UserError: it is not one of the shells, or none.
    """
    if len(arguments) != 1:
        raise UserError(f"completion: it wants the name of a shell: {', '.join(SHELLS)}")
    require_one_of("completion", arguments[0], SHELLS)
    sys.stdout.write(shellcode(["cnnlab"], True, arguments[0]))


def answer(commands: Iterable[str]) -> None:
    """Where a shell asks: what may follow; ends the process. Anywhere else it does nothing."""
    parser = argparse.ArgumentParser("cnnlab", add_help=False)
    of_command = parser.add_subparsers()
    for name in commands:
        words = of_command.add_parser(name, add_help=False).add_argument("words", nargs=argparse.REMAINDER)
        words.completer = offers(name)  # type: ignore[attr-defined]
    argcomplete.autocomplete(parser, always_complete_options=False, default_completer=SuppressCompleter())


def offers(command: str) -> Callable[..., list[str]]:
    """For what has been typed of a word of this command, the words that it may become."""

    def of_word(prefix: str, **_: Any) -> list[str]:
        if prefix.startswith("-"):
            return list(OPTIONS.get(command, ("--help",)))
        if command in COMPOSING:
            return list(overrides(prefix))
        if command == "completion":
            return list(SHELLS)
        if command in OF_STUDIES:
            return [*studies(), *folders(prefix)]
        return list(folders(prefix))

    return of_word


def overrides(prefix: str) -> Iterator[str]:
    """Of 'mo': model=, model.name=; of 'model=vgg11,v': model=vgg11,vgg13; of 'regularizer=[none,d' likewise."""
    from cnnlab import conf  # imports Hydra

    key, equals, typed = prefix.partition("=")
    if equals:
        before = typed[: max(typed.rfind(","), typed.rfind("[")) + 1]
        yield from (f"{key}={before}{choice}" for choice in conf.choices(key))
        return
    yield from (f"{group}=" for group in conf.groups())
    if prefix:
        conf.register()
        told = sorted(keys(conf.composed()))
        yield from (f"{name}=" for name in told if "._" not in name and not name.startswith("model.card."))


def keys(config: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """Dotted, of all values."""
    for name, value in config.items():
        if isinstance(value, dict) and value:
            yield from keys(value, f"{above}{name}.")
        else:
            yield f"{above}{name}"


def studies() -> list[str]:
    """Below runs/, by name."""
    from cnnlab.study.status import RUNS, studies_below

    return [folder.name for folder in studies_below(RUNS)]


def folders(prefix: str) -> Iterator[str]:
    """That begin so; also as the value of run=."""
    key, equals, typed = prefix.rpartition("=")
    beside = Path(typed if typed.endswith("/") else Path(typed).parent)
    if beside.is_dir():
        yield from (f"{key}{equals}{path}/" for path in sorted(beside.iterdir()) if path.is_dir())
