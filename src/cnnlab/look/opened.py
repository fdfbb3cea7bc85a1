"""A run's folder, opened to be looked at: nothing else than the folder and its data set is needed."""

import copy
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cnnlab.build import build_data, build_network
from cnnlab.check import check
from cnnlab.checkpoints import BEST, UNREADABLE
from cnnlab.data.datamodule import ImageData
from cnnlab.errors import UserError, did_you_mean
from cnnlab.look.subject import Subject
from cnnlab.run import Config, Run
from cnnlab.study.config import read_config


def opened(
    folder: Path, count: int, class_name: str | None = None, data: ImageData | None = None, device: str = "cpu"
) -> Subject:
    """A run with its best network.

    data: the run's, where they are read already; they are left as they are.

    Raises:
        UserError: it is no run's folder, has no best weights yet, or they cannot be read; the class is not known.
    """
    run = Run(folder)
    if not folder.is_dir():
        raise UserError(f"run={folder}: there is no such folder")
    if not run.config_file.is_file():
        raise UserError(f"run={folder}: it is not the folder of a run (there is no .hydra/config.yaml in it)")
    best = run.checkpoints / BEST
    if not best.is_file():
        state = run.status.get("state", "not begun")
        raise UserError(f"run={folder}: it is {state} and has no checkpoints/{BEST}; the same command trains it")
    config = config_of(run)
    own = copy.copy(data) if data else build_data(config)
    own.trainer, own.num_workers = None, 0
    own.sets, own.feeds = dict(own.sets), dict(own.feeds)
    on = torch.device(device)
    net = with_weights(build_network(config), best).to(on).eval()
    label = None if class_name is None else label_of(class_name, list(own.source.classes))
    return Subject(folder, config, net, own, on, count, label)


def config_of(run: Run) -> Config:
    """What it was trained with.

    Raises:
        UserError: someone has made something else of it.
    """
    try:
        config: Config = copy.deepcopy(read_config(run.config_file))
    except ValueError as error:
        raise UserError(str(error)) from error
    began_with, config["model"]["weights"] = config["model"]["weights"], None  # the file may be gone
    try:
        check(config)
    except UserError as error:
        raise UserError(f"{run.config_file}: {error}") from error
    config["model"]["weights"] = began_with
    return config


def with_weights(net: nn.Module, file: Path) -> nn.Module:
    """The network with those of a checkpoint; nothing in it is executed.

    Raises:
        UserError: it is damaged, or of another network.
    """
    try:
        saved: Any = torch.load(file, map_location="cpu", weights_only=True)["state_dict"]
    except UNREADABLE as error:
        raise UserError(f"{file} cannot be read ({type(error).__name__}); train this run again") from error
    weights = {name.removeprefix("net."): tensor for name, tensor in saved.items() if name.startswith("net.")}
    try:
        net.load_state_dict(weights)
    except RuntimeError as error:
        raise UserError(f"{file} is not of the network that .hydra/config.yaml describes: {error}") from error
    return net


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
