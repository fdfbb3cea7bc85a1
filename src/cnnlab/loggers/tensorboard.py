"""TensorBoard's event files in the run's folder."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lightning.pytorch.loggers import Logger, TensorBoardLogger

from cnnlab.loggers.csv import Curves
from cnnlab.loggers.flat import dotted
from cnnlab.loggers.unfailing import Unfailing, scores, unusable
from cnnlab.run import Config, Run


class Events(Unfailing, TensorBoardLogger):
    """Lightning's, whose rows are on the disk as soon as they are logged."""

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """As Lightning's."""
        super().log_metrics(metrics, step)
        self.attempt(self.experiment.flush)


@contextmanager
def create(folder: Path, config: Config, curves: Curves) -> Iterator[Logger]:
    """A logger that writes to <folder>/tensorboard; a run that is done gets a row of its HPARAMS table."""
    try:
        logger = begin(folder, curves)
    except Exception as error:  # a disk may be full, or nobody may write there
        yield unusable(folder, "TensorBoardLogger", error)
        return
    try:
        yield logger
        ends = {f"hparams/{name}": value for name, value in scores(Run(folder).result(), curves).items()}
        logger.attempt(logger.log_hyperparams, dict(dotted(config)), ends)
    finally:
        logger.attempt(logger.experiment.close, last=True)


def begin(folder: Path, curves: Curves) -> Events:
    """What an attempt before has logged of later steps than this one goes on from is not shown any more."""
    later = int(curves.rows[max(curves.rows)]["step"]) + 1 if curves.rows else None
    logger = Events(folder, name="", version="tensorboard", default_hp_metric=False, purge_step=later)
    logger.folder = folder
    _ = logger.experiment.log_dir  # makes the file
    return logger
