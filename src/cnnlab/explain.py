"""Hydra's and OmegaConf's errors in words that name the culprit and the nearest legal choice."""

import re
from collections.abc import Iterator
from errno import EDQUOT, ENOSPC, EROFS
from traceback import walk_tb

from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
    InterpolationKeyError,
    MissingMandatoryValue,
    OmegaConfBaseException,
)
from yaml import YAMLError

from cnnlab.conf import choices
from cnnlab.errors import DiskFull, OutOfGpuMemory, RankFailed, UserError, WorkerKilled, did_you_mean

LONGEST = 160  # letters of a list of choices
READERS = ("hydra", "omegaconf", "antlr4", "yaml")


def explain(error: BaseException) -> str | None:
    """What the user can do about it, or None if it is no error of theirs."""
    chain = list(_causes(error))
    for cause in chain:
        if isinstance(cause, (UserError, RankFailed, OutOfGpuMemory, WorkerKilled, DiskFull)):
            return str(cause)
        if isinstance(cause, OSError) and cause.filename and not isinstance(cause, MissingConfigException):
            return f"{cause.filename}: {cause.strerror}"
        if isinstance(cause, OSError) and cause.errno in (ENOSPC, EDQUOT, EROFS):  # of what was open already
            return f"{cause.strerror}: make room, or choose another place with runs_dir=... and TMPDIR"
        if isinstance(cause, YAMLError):
            return _broken_yaml(cause)
        if type(cause).__name__ == "MisconfigurationException":  # Lightning's; importing it takes seconds
            return f"trainer: {cause}"
    for cause in chain:
        if isinstance(cause, MissingConfigException):
            return _missing_choice(cause)
        if isinstance(cause, (ConfigKeyError, ConfigAttributeError)) and not isinstance(cause, InterpolationKeyError):
            return _unknown_key(cause)
        if isinstance(cause, MissingMandatoryValue):
            return _first_line(cause)  # "Missing mandatory value: datamodule.data_dir"
        if isinstance(cause, OverrideParseException):
            return f"{cause.override} cannot be read: {_first_line(cause)}. {_quoted(str(cause.override))}"
    ambiguous = re.search(r"Ambiguous value for argument '(.*?)'", str(error))
    if ambiguous and isinstance(error, HydraException):
        return f"{ambiguous[1]} has several values: add -m to train each of them"
    if isinstance(error, (HydraException, OmegaConfBaseException)) or raised_by_readers(error):
        return _first_line(error)
    return None


def raised_by_readers(error: BaseException) -> bool:
    """Whether Hydra, OmegaConf or what they parse with raised it, who have errors of other kinds, too."""
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    return bool(frames) and str(frames[-1].f_globals.get("__name__")).partition(".")[0] in READERS


def _quoted(override: str) -> str:
    """How an override is written with a value that Hydra's grammar would take apart."""
    key, _, value = override.partition("=")
    return f"""If the shell took it apart, quote it: '{override}'; if the value is one text: '{key}="{value}"'"""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:  # a chain may bite its tail
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2]) or type(error).__name__


def _broken_yaml(error: YAMLError) -> str:
    """conf/model/mine.yaml, line 3: what is wrong there."""
    mark = getattr(error, "problem_mark", None)
    where = f"{mark.name}, line {mark.line + 1}: " if mark else ""
    return f"{where}{getattr(error, 'problem', None) or ' '.join(str(error).split())}; it is no YAML"


def _missing_choice(error: MissingConfigException) -> str:
    group, _, choice = (error.missing_cfg_file or "").rpartition("/")
    options = [option for option in error.options or choices(group) if not option.startswith("_")]
    if choice.startswith("_"):
        options = choices(group)
    if not group:
        return f"there is no configuration {choice}.{did_you_mean(choice, options)}"
    return f"{group}={choice} does not exist.{did_you_mean(choice, options)} There are: {_shown(group, options)}"


def _shown(group: str, options: list[str]) -> str:
    """All, or as many as a few lines hold."""
    whole = ", ".join(options)
    if len(whole) <= LONGEST:
        return whole
    all_of_them = "cnnlab models" if group == "model" else "cnnlab train --help"
    return f"{whole[:LONGEST].rpartition(', ')[0]}, ... ({all_of_them} lists all {len(options)})"


def _unknown_key(error: OmegaConfBaseException) -> str:
    key = str(error.full_key or error.key)
    parent, _, leaf = key.rpartition(".")
    known = [str(name) for name in error.parent_node] if isinstance(error.parent_node, DictConfig) else []
    if parent == "model":
        own = sorted(set(known) - {"_target_", "card", "imagenet", "in_channels", "num_classes", "image_size"})
        name = error.parent_node["name"] if "name" in known else "this network"
        return f"{name} has no {key}.{did_you_mean(leaf, own)} It has: {', '.join(own)}"
    near = did_you_mean(leaf, known)
    if near and parent:
        near = near.replace("mean ", f"mean {parent}.")
    return f"there is no key {key}.{near} To add a new one: +{key}=..."
