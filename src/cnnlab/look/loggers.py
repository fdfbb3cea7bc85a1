"""Pictures for the loggers of a run, each in its own way."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cnnlab.loggers.unfailing import Unfailing


def hand_over(loggers: Iterable[Any], name: str, file: Path, step: int) -> None:
    """To those that take images: W&B, TensorBoard, MLflow; what they raise ends no training."""
    for logger in loggers:
        if isinstance(logger, Unfailing):
            logger.attempt(give, logger, name, file, step)
        else:
            give(logger, name, file, step)


def give(logger: Any, name: str, file: Path, step: int) -> None:
    """Each logger is known by what it can do: none is imported."""
    experiment: Any = getattr(logger, "experiment", None)
    if hasattr(logger, "log_image"):
        logger.log_image(f"pictures/{name}", [str(file)], step=step)
    elif hasattr(experiment, "add_image"):
        with Image.open(file) as image:
            pixels = np.asarray(image.convert("RGB"))
        experiment.add_image(f"pictures/{name}", pixels, step, dataformats="HWC")
    elif hasattr(experiment, "log_artifact"):
        experiment.log_artifact(logger.run_id, str(file), "pictures")
