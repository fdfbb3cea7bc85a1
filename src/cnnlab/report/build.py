"""Makes a study's report from what lies in its folder, and from nothing else."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cnnlab.errors import UserError, did_you_mean
from cnnlab.report.caveats import caveats
from cnnlab.report.cells import ReportedCell, read_cell_of, read_cells
from cnnlab.report.commands import cell_command, study_commands
from cnnlab.report.conditions import conditions, grouped, values_of
from cnnlab.report.content import CellRow, Condition, Factor, Images, Report
from cnnlab.report.contrasts import Grid, effects, interactions, main_effects
from cnnlab.report.curves import curves
from cnnlab.report.factors import Factors, find_factors
from cnnlab.report.image_tests import image_tests
from cnnlab.report.ingredients import ingredient_effects, ingredient_interactions
from cnnlab.report.predictions import read_images
from cnnlab.report.sentences import summary
from cnnlab.study.record import read_record

METRIC = "test/accuracy"
CONFUSIONS = 100_000  # numbers in confusion matrices, of all conditions


@dataclass(frozen=True)
class Wanted:
    """What the user picks; what is left empty is found. baselines: factor -> what its levels are compared with.

    folder: where the report will lie.
    """

    folder: Path
    metric: str = ""
    rows: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    baselines: dict[str, str] = field(default_factory=dict)


def build(study: Path, wanted: Wanted) -> Report:
    """The whole report of a study.

    Raises:
        UserError: there are no cells, or no such metric, factor or level.
    """
    record = read_record(study)
    cells, left_out = read_cells(study, record)
    if not cells:
        raise UserError(f"{study} has no cells: no study has begun there (cnnlab train -m study={study.name} ...)")
    return assemble(str(study), cells, find_factors(cells), wanted, record, left_out)


def build_of_one(run: Path, wanted: Wanted) -> Report:
    """The report of a single run, by its folder."""
    configuration = run / ".hydra" / "config.yaml"
    said = configuration.read_text(encoding="utf-8") if configuration.exists() else ""
    return assemble(str(run), [read_cell_of(run)], Factors(of=[{}]), wanted, configuration=said)


def assemble(
    title: str,
    cells: Sequence[ReportedCell],
    factors: Factors,
    wanted: Wanted,
    record: dict[str, Any] | None = None,
    left_out: Sequence[str] = (),
    configuration: str = "",
) -> Report:
    """A report of these cells."""
    record = record or {"commands": [], "cells": {}, "ablation": None}
    factors.baselines |= _checked(wanted.baselines, factors)
    metrics = _metrics(cells)
    metric = _metric(wanted.metric, metrics)
    rows, columns = _rows_and_columns(wanted, factors)
    groups = grouped(cells, factors)
    rated = conditions(groups, list(factors.levels), metric)
    grid = Grid(factors, {key: values_of(of, metric) for key, of in groups.items()})
    listed = [Factor(name=name, levels=of, baseline=factors.baseline(name)) for name, of in factors.levels.items()]
    within = effects(grid)
    averaged = [*main_effects(grid), *ingredient_effects(grid)]
    together = [*ingredient_interactions(grid), *interactions(grid)]
    classes = next((cell.classes for cell in cells if cell.classes), [])
    files = [[cell.folder / "predictions.npz" for cell in of if cell.state == "done"] for of in groups.values()]
    reading = read_images(files, classes)
    return Report(
        study=title,
        made=datetime.now(tz=UTC).isoformat(timespec="seconds"),
        metric=metric,
        metrics=metrics,
        design=record["ablation"],
        factors=listed,
        rows=rows,
        columns=columns,
        seeds=sorted({cell.seed for cell in cells if cell.seed is not None}),
        counts=dict(Counter(cell.state for cell in cells)),
        summary=summary(metric, listed, rated, within, averaged, together),
        warnings=[*caveats(metric, cells, factors, rated, within, left_out), *reading.warnings],
        conditions=rated,
        cells=[
            _row(cell, levels, metric, os.path.relpath(cell.folder, wanted.folder), cell_command(cell, record))
            for cell, levels in zip(cells, factors.of, strict=True)
        ],
        effects=within,
        main_effects=averaged,
        interactions=together,
        curves=list(curves(list(groups.values()))),
        classes=_class_names(classes, reading.images),
        images=[one if _keeps_confusion(one, rated) else {**one, "confusion": []} for one in reading.images],
        image_tests=image_tests(reading.ensembles),
        hardest=reading.hardest,
        commands=study_commands(record),
        configuration=configuration,
        environment=_environment(cells),
        code=_code(cells),
    )


def _class_names(names: list[str], images: Sequence[Images]) -> list[str]:
    """Numbers, where conditions were tested on data sets with other numbers of classes."""
    most = max((len(one["per_class"]) for one in images), default=len(names))
    fits = all(len(one["per_class"]) == len(names) for one in images)
    return names if fits else [str(label) for label in range(most)]


def _keeps_confusion(images: Images, rated: Sequence[Condition]) -> bool:
    """Of all where that is little, else of the best: K x K numbers for each condition grow large."""
    few = len(rated) * len(images["per_class"]) ** 2 < CONFUSIONS
    return few or rated[images["condition"]]["best"]


def _row(cell: ReportedCell, levels: dict[str, str], metric: str, folder: str, command: str) -> CellRow:
    return CellRow(
        name=cell.folder.name,
        folder=folder,
        state=cell.state,
        why=cell.why,
        seed=cell.seed,
        levels=levels,
        value=cell.value(metric),
        seconds=cell.seconds,
        command=command,
    )


def _metrics(cells: Sequence[ReportedCell]) -> list[str]:
    """That every finished cell has."""
    done = [cell.metrics.keys() for cell in cells if cell.state == "done"]
    common = set.intersection(*map(set, done)) if done else set()
    return sorted(name for name in common if "/" in name)


def _metric(wanted: str, metrics: Sequence[str]) -> str:
    if wanted and metrics and wanted not in metrics:
        near = did_you_mean(wanted, metrics)
        raise UserError(f"--metric {wanted}: not every finished cell has it.{near} There are: {', '.join(metrics)}")
    return wanted or next((name for name in (METRIC, "val/accuracy") if name in metrics), METRIC)


def _checked(baselines: dict[str, str], factors: Factors) -> dict[str, str]:
    for name, level in baselines.items():
        _require_factor("--baseline", name, factors)
        if level not in factors.levels[name]:
            near = did_you_mean(level, factors.levels[name])
            there = ", ".join(factors.levels[name])
            raise UserError(f"--baseline {name}={level}: there is no such level.{near} There are: {there}")
    return baselines


def _rows_and_columns(wanted: Wanted, factors: Factors) -> tuple[list[str], list[str]]:
    """Every factor in one of them: the network in the rows, the last that was found in the columns."""
    for option, names in (("--rows", wanted.rows), ("--columns", wanted.columns)):
        for name in names:
            _require_factor(option, name, factors)
    if both := set(wanted.rows) & set(wanted.columns):
        raise UserError(f"--columns {min(both)}: it is in --rows, too")
    names = list(factors.levels)
    free = [name for name in names if name not in (*wanted.rows, *wanted.columns)]
    columns = list(wanted.columns)
    if not columns and len(free) > (0 if wanted.rows else 1):
        narrow = [name for name in free if name != "model" and not factors.is_drawn(name)]
        columns = narrow[:1] if narrow else []
    rows = [*wanted.rows, *(name for name in free if name not in columns)]
    return sorted(rows, key=lambda name: (name not in wanted.rows, name != "model")), columns


def _require_factor(option: str, name: str, factors: Factors) -> None:
    if name not in factors.levels:
        near = did_you_mean(name, list(factors.levels))
        there = ", ".join(factors.levels) or "none: all cells have one configuration"
        raise UserError(f"{option} {name}: there is no such factor in this study.{near} There are: {there}")


def _environment(cells: Sequence[ReportedCell]) -> dict[str, str]:
    """What most cells were trained in; where cells differ, all that there is."""
    told = [cell.environment for cell in cells if cell.environment]
    names = dict.fromkeys(name for one in told for name in one if name not in ("commit", "dirty"))
    return {name: ", ".join(dict.fromkeys(one[name] for one in told if name in one)) for name in names}


def _code(cells: Sequence[ReportedCell]) -> dict[str, int]:
    """Commits, and how many cells each has trained."""
    told = [cell.environment for cell in cells if "commit" in cell.environment]
    return dict(
        Counter(
            f"{one['commit'][:12]}{' with changes' if one.get('dirty') == 'True' else ''}" for one in told
        ).most_common()
    )
