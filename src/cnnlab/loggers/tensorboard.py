"""TensorBoard's event files in the run's folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import TensorBoardLogger


@contextmanager
def create(folder: Path, config: dict[str, Any]) -> Iterator[TensorBoardLogger]:
    """A logger that writes to <folder>/tensorboard."""
    logger = TensorBoardLogger(folder, name="", version="tensorboard", default_hp_metric=False)
    logger.log_hyperparams(config)
    try:
        yield logger
    finally:
        logger.experiment.close()
