"""MLflow: one run per cell, in one file for all studies, or on a server."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock
from lightning.pytorch.loggers import MLFlowLogger
from lightning.pytorch.loggers.logger import DummyLogger, Logger

from cnnlab.atomic import write_text
from cnnlab.loggers.csv import Curves
from cnnlab.loggers.flat import dotted
from cnnlab.loggers.unfailing import Unfailing, ending, scores
from cnnlab.loggers.wandb_identity import job_type
from cnnlab.run import Config, Run

log = logging.getLogger(__name__)
RUN = "mlflow_run_id"  # in a run's folder: MLflow draws it


class CellRun(Unfailing, MLFlowLogger):
    """Lightning's."""

    def end(self, status: str, tags: dict[str, str]) -> None:
        """FINISHED, FAILED or KILLED, with what is to be known of it."""
        with self.going_on():
            for key, value in tags.items():
                self.experiment.set_tag(self.run_id, key, value)
            self.experiment.set_terminated(self.run_id, status)


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
        log.warning("MLflow cannot be used (%s: %s); the run goes on without it", type(error).__name__, error)
        yield DummyLogger()
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
    logger = CellRun(
        experiment,
        folder.name,
        uri or f"sqlite:///{(runs_dir / 'mlflow.db').absolute()}",
        tags={"job_type": job_type(folder), "folder": str(folder)},
        log_model=log_model,
        artifact_location=None if uri else (runs_dir / "mlartifacts" / experiment).absolute().as_uri(),
        run_id=file.read_text(encoding="utf-8") if goes_on else None,
    )
    runs_dir.mkdir(parents=True, exist_ok=True)
    with FileLock(runs_dir / ".mlflow.lock"):  # cells that begin at once make one file, with one experiment
        found = logger.run_id
    write_text(file, str(found))
    if goes_on:
        logger.experiment.update_run(found, "RUNNING")
    else:  # MLflow lets nobody change them later
        logger.log_hyperparams(dict(dotted(config)))
        for row in curves.rows.values():  # of attempts that did not log to MLflow
            logger.log_metrics(row, int(row["step"]))
    return logger
