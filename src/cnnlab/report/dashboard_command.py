"""`cnnlab dashboard`: a study's workspace and report in W&B, or their specification in a file."""

import json
import logging
from collections.abc import Sequence
from typing import Any

import wandb
from rich.console import Console

from cnnlab.atomic import write_json
from cnnlab.errors import UserError
from cnnlab.loggers.wandb_server import why_offline
from cnnlab.report.build import build
from cnnlab.report.cells import read_cells
from cnnlab.report.command import Options
from cnnlab.report.wanted import Wanted
from cnnlab.report.weights_and_biases import place_of
from cnnlab.study.record import read_record
from cnnlab.study.status import study_folder

log = logging.getLogger(__name__)
FILE = "dashboard.json"


def dashboard(arguments: Sequence[str]) -> None:
    """Builds both, saves them, and prints their addresses; the same command again renews them.

    Raises:
        UserError: there is no such study or metric, nothing of it is in W&B, or W&B refuses.
    """
    parser = Options("dashboard")
    parser.add_argument("study")
    parser.add_argument("--metric", default="")
    options = parser.parse_args(list(arguments))
    study = study_folder(options.study)
    told = place_of(study)
    if told is None:
        raise UserError(f"{study}: none of its cells logs to W&B, so that there is nothing to show: logger=wandb")
    try:
        from cnnlab.report import dashboard as built
    except ModuleNotFoundError as error:
        raise UserError("dashboard needs wandb-workspaces: pip install 'cnnlab[dashboard]'") from error
    folder = study / "report"
    reason = why_offline()
    project, entity = told
    console = Console(highlight=False)
    with console.status(f"reading {study}"):
        made = build(study, Wanted(folder, options.metric, [], [], {}))
        cells, _ = read_cells(study, read_record(study))
    keys = built.varied(made, cells)
    nowhere = built.Place(project, "", study.name)  # asks no server
    specification: dict[str, Any] = {
        "project": project,
        "entity": entity,
        "workspace": plain(built.workspace(made, nowhere, keys)),
        "report": plain(built.report(made, nowhere, keys)),
    }
    file = folder / FILE
    saved = json.loads(file.read_text(encoding="utf-8")).get("saved") if file.exists() else None
    folder.mkdir(parents=True, exist_ok=True)
    write_json(file, {**specification, "saved": saved})
    console.print(f"written: {file}", soft_wrap=True, markup=False)
    if reason:
        words = f"W&B is offline ({reason}); the file has what would be saved. Later: cnnlab dashboard {options.study}"
        console.print(words, soft_wrap=True, markup=False)
        return
    try:
        there = built.Place(project, entity or wandb.Api().default_entity or "", study.name)
        saved = save(built.workspace(made, there, keys), built.report(made, there, keys), saved)
    except Exception as error:  # of many kinds, from three libraries
        raise UserError(f"W&B does not take the dashboard: {type(error).__name__}: {error}") from error
    write_json(file, {**specification, "saved": saved})
    for name in ("workspace", "report"):
        console.print(f"{name}: {saved[name]['url']}", soft_wrap=True, markup=False)


def save(workspace: Any, report: Any, before: dict[str, Any] | None) -> dict[str, Any]:
    """Over those that were saved before, if there are any."""
    if before:
        workspace._internal_name, workspace._internal_id = before["workspace"]["name"], before["workspace"]["id"]
        report.id = before["report"]["id"]
    workspace.save()
    report.save()
    ids = {"name": workspace._internal_name, "id": workspace._internal_id}
    return {"workspace": {**ids, "url": workspace.url}, "report": {"id": report.id, "url": report.url}}


def plain(what: Any) -> Any:
    """As W&B's server gets it."""
    return what._to_model().spec.model_dump(mode="json", by_alias=True, exclude_none=True)
