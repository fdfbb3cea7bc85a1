"""MLflow: one run per cell, in one file for all studies, or on a server."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from urllib.parse import urlsplit

from filelock import FileLock
from lightning.pytorch.loggers import Logger, MLFlowLogger
from mlflow.exceptions import MlflowException

from cnnlab.atomic import write_text
from cnnlab.loggers.csv import Curves
from cnnlab.loggers.flat import dotted
from cnnlab.loggers.mlflow_server import require_answer
from cnnlab.loggers.unfailing import Unfailing, ending, scores, unusable
from cnnlab.loggers.wandb_identity import job_type
from cnnlab.run import Config, Run

RUN = "mlflow_run_id"  # in a run's folder: MLflow draws it


class CellRun(Unfailing, MLFlowLogger):
    """Lightning's."""

    def end(self, status: str, tags: dict[str, str]) -> None:
        """FINISHED, FAILED or KILLED, with what is to be known of it."""
        self.attempt(self._end, status, tags, last=True)

    def _end(self, status: str, tags: dict[str, str]) -> None:
        self.experiment.set_terminated(self.run_id, status)
        for key, value in tags.items():
            self.experiment.set_tag(self.run_id, key, value)

    def draw(self) -> str:
        """The run's id, of a new run or of the one that goes on."""
        try:
            return str(self.run_id)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            return str(self.run_id)  # another cell has made the experiment in this moment


@contextmanager
def create(
    folder: Path,
    config: Config,
    curves: Curves,
    tracking_uri: str | None,
    runs_dir: str,
    experiment: str,
    log_model: bool,
) -> Iterator[Logger]:
    """A run of the study's experiment; FAILED if the block raises, KILLED if it is interrupted."""
    try:
        logger = begin(folder, config, curves, tracking_uri, Path(runs_dir), experiment, log_model)
    except Exception as error:  # whatever MLflow may raise, a training is worth more
        yield unusable(folder, "MLflow", error)
        return
    try:
        yield logger
    except BaseException as error:
        _, told = ending(error)
        logger.end("KILLED" if told["state"] == "interrupted" else "FAILED", told)
        raise
    logger.log_metrics(scores(Run(folder).result(), curves), int(curves.rows[max(curves.rows)]["step"]))
    logger.end("FINISHED", {"state": "done"})


def begin(
    folder: Path, config: Config, curves: Curves, uri: str | None, runs_dir: Path, experiment: str, log_model: bool
) -> CellRun:
    """A new run; or the one that an attempt before had, which goes on."""
    file = folder / RUN
    goes_on = curves.goes_on and file.exists()
    uri = uri or os.environ.get("MLFLOW_TRACKING_URI")
    require_answer(uri)
    logging.getLogger("lightning.pytorch.loggers.mlflow").setLevel(logging.ERROR)  # a study's experiment may be new
    logger = CellRun(
        experiment,
        folder.name,
        uri or f"sqlite:///{(runs_dir / 'mlflow.db').absolute()}",
        tags={"job_type": job_type(folder), "folder": str(folder)},
        log_model=log_model,
        artifact_location=None if uri else (runs_dir / "mlartifacts" / experiment).absolute().as_uri(),
        run_id=file.read_text(encoding="utf-8") if goes_on else None,
    )
    logger.folder = folder
    runs_dir.mkdir(parents=True, exist_ok=True)
    # cells that begin at once make one file, with one experiment; a server sees to that by itself
    with nullcontext() if urlsplit(uri or "").hostname else FileLock(runs_dir / ".mlflow.lock"):
        found = logger.draw()
    write_text(file, found)
    if goes_on:
        logger.experiment.update_run(found, "RUNNING")
    else:  # MLflow lets nobody change them later
        logger.log_hyperparams(dict(dotted(config)))
        for row in curves.rows.values():  # of attempts that did not log to MLflow
            logger.log_metrics(row, int(row["step"]))
    return logger
