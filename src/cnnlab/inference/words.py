"""`key=value` words of the commands that use a trained network."""

from collections.abc import Iterable, Mapping, Sequence
from glob import glob, has_magic
from pathlib import Path

from cnnlab.errors import UserError, did_you_mean


def parsed(command: str, words: Sequence[str], known: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The values of the known keys, those not typed by default; and the words about the configuration, if any.

    Raises:
        UserError: a word is no key=value, its key is not known, or it lacks a value.
    """
    values = dict(known)
    others = []
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not value or key.startswith("-"):
            raise UserError(f"{command} {word}: it is no key=value. Try cnnlab {command} --help")
        if key in known:
            values[key] = value
        elif key.lstrip("+~").startswith(("datamodule", "data_dir", "augment")):
            others.append(word)
        else:
            near = did_you_mean(key, known)
            raise UserError(f"{command} {word}: there is no key {key}.{near} There are: {', '.join(known)}, datamodule")
    return values, others


def items(value: str) -> list[str]:
    """['a', 'b'] of '[a,b]' or 'a,b'."""
    return [item.strip() for item in value.removeprefix("[").removesuffix("]").split(",") if item.strip()]


def one_of(command: str, key: str, value: str, allowed: Iterable[str]) -> str:
    """The value.

    Raises:
        UserError: it is none of those.
    """
    there = list(allowed)
    if value not in there:
        near = did_you_mean(value, there)
        raise UserError(f"{command} {key}={value}: there is no such choice.{near} There are: {', '.join(there)}")
    return value


def folders(command: str, value: str) -> list[Path]:
    """Of run=folder, run=[folder,folder], or a pattern of folders, as run=runs/study/lenet5-*, which passes
    by what is no run.

    Raises:
        UserError: there is none.
    """
    named: list[Path] = []
    for item in items(value):
        found = [Path(item)]
        if has_magic(item):
            fitting = sorted(glob(item))  # noqa: PTH207  # Path.glob takes no whole path
            found = [Path(path) for path in fitting if Path(path, ".hydra", "config.yaml").is_file()]
        if not found:
            raise UserError(f"{command} run={item}: no run's folder is called so")
        named += found
    if not named:
        raise UserError(f"{command}: of which run? run=<its folder> (cnnlab status STUDY lists a study's)")
    return named


def folder(command: str, value: str) -> Path:
    """Of one.

    Raises:
        UserError: there is none, or there are several.
    """
    found = folders(command, value)
    if len(found) > 1:
        raise UserError(f"{command} run={value}: of one run at a time; these are {len(found)}")
    return found[0]


def number(command: str, key: str, value: str) -> int:
    """A whole number from 1 on.

    Raises:
        UserError: it is none.
    """
    if not value.isdecimal() or not int(value):
        raise UserError(f"{command} {key}={value}: it must be a whole number from 1 on")
    return int(value)
