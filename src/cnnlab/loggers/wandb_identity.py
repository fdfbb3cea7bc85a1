"""What a W&B run is called, and what it is told before it begins."""

import os
import re
import secrets
from pathlib import Path

from cnnlab.cell import identity, regularizer_label
from cnnlab.run import Config
from cnnlab.study.record import read_record

TOKEN = ".wandb-id"  # in a study's folder


def run_id(folder: Path, config: Config) -> str:
    """The cell's hash and the study's token: the same cell in another study is another run.

    The token is drawn once and lies in the study's folder, so that a run goes on wherever the folder was moved to, and
    nobody else's study of the same name and path, in a project that is shared, can meet it.
    """
    found = re.search(r"-([0-9a-f]{8})$", folder.name)  # trainer.micro_batches may have changed since it was named
    return f"{found[1] if found else identity(config)}-{token(folder.parent)}"


def token(study: Path) -> str:
    """Cells that run at once agree on one, since only the first of them can make the link."""
    file = study / TOKEN
    if not file.exists():
        mine = study / f"{TOKEN}.{secrets.token_hex(4)}"
        mine.write_text(secrets.token_hex(3), encoding="utf-8")
        try:
            os.link(mine, file)
        except FileExistsError:
            pass  # another cell was first
        finally:
            mine.unlink()
    return file.read_text(encoding="utf-8")


def job_type(folder: Path) -> str:
    """train; or source, tuning: runs that only help others."""
    cell = read_record(folder.parent)["cells"].get(folder.name, {})
    return str(cell.get("labels", {}).get("role", "train"))


def labels(config: Config) -> dict[str, str]:
    """What cells differ in first, under keys without dots: by those with dots W&B cannot always group and filter."""
    optimizer = config["optim"]["_target_"].rsplit(".")[-1].lower()
    return {
        "network": config["model"]["name"],
        "optimizer": optimizer,
        "regularizers": regularizer_label(config["regularizer"]),
        "dataset": config["datamodule"]["name"],
    }


def typed(config: Config) -> list[str]:
    """Network, optimizer, data set, and the regularizers that are on, by the names that one types."""
    of = config["regularizer"]
    on = [f"{of['norm']}_norm"] if of["norm"] != "none" else []
    on += [key for key, value in of.items() if key != "norm" and value]
    told = labels(config)
    return [told["network"], told["optimizer"], told["dataset"], *(on or ["no_regularizer"])]
