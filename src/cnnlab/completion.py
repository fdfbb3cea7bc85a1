"""What the Tab key offers: commands, groups and their choices, keys, studies and runs."""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import argcomplete  # Apache-2.0: asks in bash, zsh and fish alike, and quotes what it gives back
from argcomplete.completers import SuppressCompleter
from argcomplete.shell_integration import shellcode

from cnnlab.bench.command import KINDS
from cnnlab.errors import UserError, require_one_of

SHELLS = ("bash", "zsh", "fish")
COMPOSING = ("train", "plan", "data", "bench")  # commands whose words are overrides
OF_STUDIES = ("status", "report", "dashboard")
OF_ALL = ("--quiet", "--help")
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "train": ("-m", "--cfg", "--resolve", "--config-dir", "--hydra-help"),
    "plan": ("--all", "--wandb-sweep"),
    "status": ("--watch", "--json", "--all"),
    "report": ("--rows", "--columns", "--metric", "--baseline", "--watch", "--output", "--wandb"),
    "dashboard": ("--metric",),
    "compare": ("--output",),
}
# those of the commands' modules, whose import takes seconds
KEYS: Mapping[str, tuple[str, ...]] = {
    "look": ("run", "pictures", "output", "images", "class"),
    "eval": ("run", "tta", "corruptions", "shuffled_labels", "output"),
    "predict": ("run", "input", "output", "top", "batch_size", "on_bad"),
    "export": ("run", "format", "output", "preprocess", "images", "tolerance"),
    "serve": ("run", "host", "port"),
}
VALUES: Mapping[str, tuple[str, ...]] = {
    "tta": ("none", "flip", "shift", "flip_shift"),
    "shuffled_labels": ("true", "false"),
    "on_bad": ("error", "skip"),
    "format": ("onnx", "torch_export", "torchscript", "safetensors"),
    "preprocess": ("true", "false"),
}
COMPINIT = "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i; }"


def completion(arguments: Sequence[str]) -> None:
    """Prints the lines that make a shell ask.

    Raises:
        UserError: it is not one of the shells, or none.
    """
    if len(arguments) != 1:
        raise UserError(f"completion: it wants the name of a shell: {', '.join(SHELLS)}")
    require_one_of("completion", arguments[0], SHELLS)
    lines = shellcode(["cnnlab"], True, arguments[0])
    if arguments[0] == "zsh":  # whose own completion may not have been begun; the first line is for zsh's folders
        first, rest = lines.split("\n", 1)
        lines = f"{first}\n{COMPINIT}\n{rest}"
    sys.stdout.write(lines)


def answer(commands: Iterable[str]) -> None:
    """Where a shell asks: what may follow; ends the process. Anywhere else it does nothing."""
    parser = argparse.ArgumentParser("cnnlab", add_help=False)
    parser.add_argument("--help", "--version", action="store_true")
    of_command = parser.add_subparsers()
    for name in commands:
        # a command's options are words to argparse as all others: it would offer none of them before other words
        of_this = of_command.add_parser(name, add_help=False, prefix_chars="\0")
        words = of_this.add_argument("words", nargs=argparse.REMAINDER)
        words.completer = offers(name)  # type: ignore[attr-defined]
    argcomplete.autocomplete(parser, always_complete_options=False, default_completer=SuppressCompleter())


def offers(command: str) -> Callable[..., list[str]]:
    """For what has been typed of a word of this command, the words that it may become."""

    def of_word(prefix: str, parsed_args: Any = None, **_: Any) -> list[str]:
        if prefix.startswith("-"):
            return [*OPTIONS.get(command, ()), *OF_ALL]
        if command == "bench" and not getattr(parsed_args, "words", None):
            return list(KINDS)
        if command in COMPOSING:
            return list(overrides(prefix))
        if command in KEYS:
            return list(values(command, prefix))
        if command == "models":
            return models()
        if command == "completion":
            return list(SHELLS)
        if command in OF_STUDIES:
            return [*studies(), *folders(prefix)]
        return list(folders(prefix))

    return of_word


def values(command: str, prefix: str) -> Iterator[str]:
    """Of 'pi': pictures=; of 'pictures=filters,gr': pictures=filters,grad_cam; of 'run=runs/d': run=runs/depth/."""
    key, equals, typed = prefix.partition("=")
    if not equals:
        yield from (f"{name}=" for name in KEYS[command])
        if command == "eval":
            yield from overrides(prefix)
    elif key == "pictures":
        from cnnlab.look.gallery import names

        before = typed[: max(typed.rfind(","), typed.rfind("[")) + 1]
        yield from (f"{key}={before}{name}" for name in [*names(), *(() if before else ("all",))])
    elif key in VALUES:
        yield from (f"{key}={value}" for value in VALUES[key])
    elif command == "eval" and key not in KEYS[command]:
        yield from overrides(prefix)
    else:
        yield from folders(prefix)


def models() -> list[str]:
    """The networks, by name."""
    from cnnlab.conf import choices  # imports Hydra

    return choices("model")


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
