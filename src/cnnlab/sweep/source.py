"""Runs that are trained first, from whose weights others begin (ablation.source, $source)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from cnnlab.errors import UserError
from cnnlab.run import Run
from cnnlab.sweep.cells import Cell, Composer
from cnnlab.sweep.design import SOURCE, Part, text

ROLE = {"role": "source"}  # label of a cell that is none of the comparison


def needs_source(part: Part) -> bool:
    """Whether one of its changes says $source."""
    return any(SOURCE in value for value in part.changes.values())


def source_of(part: Part, source: Mapping[str, str]) -> Part:
    """What is trained first for a cell: the same, but for what ablation.source says, and not from $source.

    Raises:
        UserError: there is none.
    """
    if not source:
        raise UserError(
            f"{SOURCE}: ablation.source does not say what is trained first, as {{datamodule: fashion_mnist}}"
        )
    own = {key: value for key, value in part.changes.items() if SOURCE not in value}
    return Part({**own, **source}, ROLE)


def without_keys(fixed: Sequence[str], source: Mapping[str, str]) -> list[str]:
    """The overrides that all cells have, but for those that ablation.source replaces."""
    return [override for override in fixed if override.split("=", 1)[0] not in source]


def weights_of(cell: Cell) -> Path:
    """What $source stands for."""
    return Run(cell.folder).checkpoints / "best.ckpt"


def begun_from(part: Part, composer: Composer, fixed: Sequence[str], source: Mapping[str, str]) -> Part:
    """The cell, with the file in place of $source."""
    if not needs_source(part):
        return part
    file = text(str(weights_of(composer.compose(without_keys(fixed, source), source_of(part, source)))))
    return Part({k: value.replace(SOURCE, file) for k, value in part.changes.items()}, part.labels, part.behind)
