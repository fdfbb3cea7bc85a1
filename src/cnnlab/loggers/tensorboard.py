"""TensorBoard's event files in the run's folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lightning.pytorch.loggers import TensorBoardLogger

from cnnlab.loggers.csv import Curves
from cnnlab.loggers.flat import dotted
from cnnlab.loggers.unfailing import scores
from cnnlab.run import Config, Run


@contextmanager
def create(folder: Path, config: Config, curves: Curves) -> Iterator[TensorBoardLogger]:
    """A logger that writes to <folder>/tensorboard; a run that is done gets a row of its HPARAMS table."""
    logger = TensorBoardLogger(folder, name="", version="tensorboard", default_hp_metric=False)
    try:
        yield logger
        ends = {f"hparams/{name}": value for name, value in scores(Run(folder).result(), curves).items()}
        logger.log_hyperparams(dict(dotted(config)), ends)
    finally:
        logger.experiment.close()
