"""A study's report as a W&B run of its group: the table of conditions, and the plots."""

import logging
from pathlib import Path

import wandb

from cnnlab.loggers.wandb_server import why_offline
from cnnlab.report.charts import plots
from cnnlab.report.content import Report
from cnnlab.study.config import read_config

log = logging.getLogger(__name__)
PROJECT = "cnnlab"


def send(made: Report, folder: Path, study: Path) -> None:
    """To the project that the study's runs are in; where that cannot be reached, to files for `wandb sync`."""
    reason = why_offline()
    project, entity = place_of(study) or (PROJECT, None)
    with wandb.init(
        project=project,
        entity=entity,
        group=study.name,
        job_type="report",
        name=f"report of {study.name}",
        notes="\n".join(made["summary"]),
        dir=folder,
        mode="offline" if reason else "online",
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
        where = Path(run.dir).parent
    if reason:
        log.info("W&B is offline (%s). Later: wandb sync %s", reason, where)


def place_of(study: Path) -> tuple[str, str | None] | None:
    """Project and entity of the first cell that logs to W&B, if one does."""
    for file in sorted(study.glob("*/.hydra/config.yaml")):
        told = read_config(file).get("logger", {}).get("wandb")
        if told:
            return str(told["project"]), told.get("entity")
    return None
