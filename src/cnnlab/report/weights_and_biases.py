"""A study's report as a W&B run of its group: the table of conditions, and the plots."""

import logging
from pathlib import Path

import wandb

from cnnlab.loggers.wandb_begin import started
from cnnlab.loggers.wandb_identity import token
from cnnlab.loggers.wandb_server import mode
from cnnlab.report.charts import plots
from cnnlab.report.content import Report
from cnnlab.study.config import read_config

log = logging.getLogger(__name__)
PROJECT = "cnnlab"
PATIENCE = 60.0  # seconds for the upload


def send(made: Report, folder: Path, study: Path) -> None:
    """To one run of the project that the study's runs are in; where that cannot be reached, to files for `wandb sync`.

    Each report of a study goes on in that run.
    """
    if mode() == "disabled":
        log.warning("W&B is told nothing: WANDB_MODE=disabled")
        return
    project, entity = place_of(study) or (PROJECT, None)
    with started(
        None,
        goes_on=True,
        finish_timeout=PATIENCE,
        id=f"report-{token(study)}",
        project=project,
        entity=entity,
        group=study.name,
        job_type="report",
        name=f"report of {study.name}",
        notes="\n".join(made["summary"]),
        dir=folder,
        config={"commands": made["commands"], "metric": made["metric"], "cells": made["counts"]},
    ) as run:
        names = [factor["name"] for factor in made["factors"]]
        table = wandb.Table(columns=[*names, "n", "mean", "std", *made["conditions"][0]["cost"]])
        for one in made["conditions"]:
            table.add_data(
                *(one["levels"][name] for name in names), one["n"], one["mean"], one["std"], *one["cost"].values()
            )
        pictures = {f"report/{name}": wandb.Image(str(file)) for name, file in plots(folder).items()}
        run.log({"report/conditions": table, **pictures})


def place_of(study: Path) -> tuple[str, str | None] | None:
    """Project and entity of the first cell that logs to W&B, if one does."""
    for file in sorted(study.glob("*/.hydra/config.yaml")):
        told = read_config(file).get("logger", {}).get("wandb")
        if told:
            return str(told["project"]), told.get("entity")
    return None
