"""Makes a study's report from what lies in its folder, and from nothing else."""

import os
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cnnlab.errors import UserError
from cnnlab.report.caveats import caveats
from cnnlab.report.cells import ReportedCell, read_cell_of, read_cells
from cnnlab.report.commands import cell_command, study_commands
from cnnlab.report.conditions import conditions, grouped, once_per_seed, values_of
from cnnlab.report.content import CellRow, Condition, Factor, Images, Report
from cnnlab.report.contrasts import Grid, effects, interactions, main_effects
from cnnlab.report.curves import curves
from cnnlab.report.drawn import drawn
from cnnlab.report.factors import Factors, find_factors
from cnnlab.report.image_tests import caveats_of_tests, image_tests
from cnnlab.report.ingredients import ingredient_effects, ingredient_interactions
from cnnlab.report.predictions import read_images
from cnnlab.report.sentences import summary
from cnnlab.report.statistics import too_few
from cnnlab.report.wanted import Wanted, checked, metric_of, metrics_of, rows_and_columns
from cnnlab.study.record import read_record

CONFUSIONS = 100_000  # numbers in confusion matrices, of all conditions


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
    made = assemble(str(run), [read_cell_of(run)], Factors(of=[{}]), wanted, configuration=said)
    made["warnings"] = [line for line in made["warnings"] if line != too_few(1)]  # which is about comparisons
    made["pictures"] = [os.path.relpath(file, wanted.folder) for file in sorted((run / "pictures").glob("*.png"))]
    return made


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
    factors.baselines |= checked(wanted.baselines, factors)
    metrics = metrics_of(cells)
    metric = metric_of(wanted.metric, metrics)
    rows, columns = rows_and_columns(wanted, factors)
    groups, doubles = once_per_seed(grouped(cells, factors))
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
        summary=[*summary(metric, listed, rated, within, averaged, together), *drawn(metric, rated, factors)],
        warnings=[
            *caveats(metric, cells, factors, rated, within, averaged, left_out, doubles),
            *reading.warnings,
            *caveats_of_tests(reading.ensembles),
        ],
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
        pictures=[],
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
