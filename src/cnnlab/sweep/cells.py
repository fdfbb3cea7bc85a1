"""The cells of a sweep, composed: quickly, since there may be ten thousand of them."""

import copy
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from cnnlab.cell import named, resolved
from cnnlab.check import check
from cnnlab.run import Config
from cnnlab.sweep.design import Part

# what our resolvers read beside their arguments
OF_AN_EPOCH = ("datamodule", "limit_train_batches", "accumulate_grad_batches")
READ_BY_RESOLVERS = {
    "share_of_epochs": ("max_epochs",),
    "epochs_of_steps": OF_AN_EPOCH,
    "steps_of_flops": (*OF_AN_EPOCH, "model", "norm"),
}


@dataclass(frozen=True)
class Cell:
    """A configuration and where its files go. overrides: all; part: what is its own among the cells."""

    config: Config
    study: Path
    overrides: list[str]
    part: Part = field(default_factory=lambda: Part({}))
    environment: dict[str, str] = field(default_factory=dict)

    @cached_property
    def folder(self) -> Path:
        """Named after the configuration, which is checked.

        Raises:
            UserError: the configuration is not legal.
        """
        check(self.config)
        return self.study / named(self.config)


@dataclass(frozen=True)
class Base:
    """A composed and resolved configuration, from which others differ in single values."""

    config: Config
    study: Path
    environment: dict[str, str]
    read: frozenset[str]  # the last words of keys that other values depend on


class Composer:
    """Composes as Hydra does, to the same values. Hydra's own way takes a third of a second for each cell.

    Choices of groups are composed by Hydra, once for each combination of them. Values that others depend on (through
    interpolations) are merged into a copy of that, once for each combination. Any other value replaces its leaf.
    """

    def __init__(self, loader: ConfigLoader, master: DictConfig) -> None:
        self.loader = loader
        self.master = master
        self.groups = set(loader.list_groups(""))
        self.parser = OverridesParser.create(config_loader=loader)
        self.parsed: dict[str, Override] = {}
        self.composed: dict[tuple[str, ...], DictConfig | HydraException] = {}  # or why there is none
        self.bases: dict[tuple[str, ...], Base] = {}

    def compose(self, fixed: Sequence[str], part: Part) -> Cell:
        """The cell of these overrides.

        Raises:
            HydraException: an override cannot be read, or does not fit.
        """
        overrides = [*fixed, *part.overrides]
        parsed = [self._parse(override) for override in overrides]
        choices = [o for o in parsed if self._is_choice(o)]
        values = [o for o in parsed if not self._is_choice(o)]
        below = [o.key_or_group or "" for o in values]
        common = parsed[: len(fixed)]
        early = [o for o in values if o in common or _is_missing(self._chosen(choices), o)]
        late = [o for o in values if o not in early]
        while True:
            try:
                base = self._base(choices, early)
            except OmegaConfBaseException:
                if not late:
                    raise
                early, late = values, []  # among the others may be what it lacks
                continue
            good = [o for o in late if _is_plain(o) and _replaceable(o.key_or_group or "", base, below)]
            if good == late:
                break
            early = [o for o in values if o not in good]  # which may bring interpolations of their own
            late = good
        config = base.config
        for override in late:
            config = with_value(config, (override.key_or_group or "").split("."), override.value())
        return Cell(config, base.study, overrides, part, base.environment)

    def _parse(self, override: str) -> Override:
        if override not in self.parsed:
            self.parsed[override] = self.parser.parse_override(override)
        return self.parsed[override]

    def _is_choice(self, override: Override) -> bool:
        return (override.key_or_group or "") in self.groups or override.package is not None

    def _chosen(self, choices: list[Override]) -> DictConfig:
        lines = _lines(choices)
        if lines not in self.composed:
            try:
                self.composed[lines] = self.loader.load_sweep_config(self.master, list(lines))
            except HydraException as error:
                self.composed[lines] = error
        composed = self.composed[lines]
        if isinstance(composed, HydraException):
            raise composed
        return composed

    def _base(self, choices: list[Override], values: list[Override]) -> Base:
        key = (*_lines(choices), "", *_lines(values))
        if key not in self.bases:
            cfg = self._chosen(choices)
            if values:
                cfg = copy.deepcopy(cfg)
                OmegaConf.copy_cache(self.master, cfg)
                ConfigLoaderImpl._apply_overrides_to_config(values, cfg)
            environment = {str(name): str(value) for name, value in cfg.hydra.job.env_set.items()}
            with open_dict(cfg):
                study = Path(cfg.hydra.sweep.dir)
            self.bases[key] = Base(resolved(cfg), study, environment, _read(cfg))
        return self.bases[key]


def _lines(overrides: list[Override]) -> tuple[str, ...]:
    return tuple(str(override.input_line) for override in overrides)


def _is_missing(cfg: DictConfig, override: Override) -> bool:
    """Whether nothing can be resolved before it gives its key a value."""
    parent, _, leaf = (override.key_or_group or "").rpartition(".")
    node = OmegaConf.select(cfg, parent) if parent else cfg
    return isinstance(node, DictConfig) and OmegaConf.is_missing(node, leaf)


def _is_plain(override: Override) -> bool:
    """Whether it gives an existing key one value that is what it says."""
    value = override.value()
    literal = value is None or isinstance(value, bool | int | float) or (isinstance(value, str) and "${" not in value)
    return literal and not (override.is_add() or override.is_force_add() or override.is_delete())


def _replaceable(key: str, base: Base, others: list[str]) -> bool:
    """Whether nothing else depends on it, and no other override lies above or below it."""
    words = key.split(".")
    value: Any = base.config
    for word in words:
        if not isinstance(value, dict) or word not in value:
            return False
        value = value[word]
    alone = not any(other != key and (other.startswith(f"{key}.") or key.startswith(f"{other}.")) for other in others)
    return alone and not isinstance(value, dict | list) and not base.read & set(words)


def _read(cfg: DictConfig) -> frozenset[str]:
    """The last words of all keys that interpolations mention: what depends on `a.b` says '${a.b}', or '${a}'."""
    words: set[str] = set()
    for text in _texts(OmegaConf.to_container(cfg, resolve=False)):
        for path in re.findall(r"[\w.]+", text) if "${" in text else ():
            words.add(path.rsplit(".")[-1])
            words.update(READ_BY_RESOLVERS.get(path, ()))
    return frozenset(words)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(item)


def with_value(config: Config, path: list[str], value: Any) -> Config:
    """A copy with another leaf, which shares all else."""
    key, *rest = path
    return {**config, key: with_value(config[key], rest, value) if rest else value}
