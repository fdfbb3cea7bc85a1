"""A run's folder, opened to be looked at: nothing else than the folder and its data set is needed."""

import copy
from pathlib import Path

import torch

from cnnlab.build import build_data
from cnnlab.data.datamodule import ImageData
from cnnlab.errors import UserError, did_you_mean
from cnnlab.inference.trained import load_run
from cnnlab.look.subject import Subject


def opened(
    folder: Path, count: int, class_name: str | None = None, data: ImageData | None = None, device: str = "cpu"
) -> Subject:
    """A run with its best network.

    data: the run's, where they are read already; they are left as they are.

    Raises:
        UserError: it is no run's folder, has no best weights yet, or they cannot be read; the class is not known.
    """
    trained = load_run(folder)
    own = copy.copy(data) if data else build_data(trained.config)
    own.trainer, own.num_workers = None, 0
    own.sets, own.feeds = dict(own.sets), dict(own.feeds)
    on = torch.device(device)
    label = None if class_name is None else label_of(class_name, list(own.source.classes))
    return Subject(folder, trained.config, trained.net.to(on), own, on, count, label)


def label_of(word: str, classes: list[str]) -> int:
    """A class by its name, or by its number from 0.

    Raises:
        UserError: there is none.
    """
    if word in classes:
        return classes.index(word)
    if word.isdecimal() and int(word) < len(classes):
        return int(word)
    shown = ", ".join(classes[:20]) + (", ..." if len(classes) > 20 else "")
    raise UserError(f"class={word}: there is no such class.{did_you_mean(word, classes)} There are: {shown}")
