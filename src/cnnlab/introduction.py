"""What a run says before it trains."""

import logging

import lightning
import torch
from rich.console import Console
from torch import nn

from cnnlab import cost
from cnnlab.build import learning_rate
from cnnlab.checkpoints import Begun
from cnnlab.models.effect import without_effect
from cnnlab.run import Config
from cnnlab.summary import network_table

log = logging.getLogger(__name__)


def say_where(begin: Begun, processes: int) -> None:
    """Where a run goes on, and whether to the last bit."""
    within = f" and {begin.batches} batches" if begin.batches else ""
    log.info("going on after epoch %s%s, from %s", begin.epochs, within, begin.file.name)
    if begin.processes != processes:
        log.info(
            "with %s processes where there were %s: the same images in the same order, but sums of floats in another, "
            "so that the last digits differ, and dropout draws otherwise",
            processes,
            begin.processes,
        )


def duration(budget: Config, trainer: Config) -> str:
    """How long is trained, in words."""
    if budget["name"] == "seconds":
        return f"{budget['amount']:g} seconds of training"
    steps = f", {trainer['max_steps']:,} steps" if trainer["max_steps"] > 0 else ""
    return f"{trainer['max_epochs']} epochs{steps}"


def introduce(config: Config, net: nn.Module, trainer: lightning.Trainer, origin: str) -> None:
    """Says what is about to be trained, on what, and which regularizers cannot act."""
    model, data, optim = config["model"], config["datamodule"], config["optim"]
    channels, size = model["in_channels"], model["image_size"]
    stem = f", {net.stem} stem" if hasattr(net, "stem") else ""
    title = f"{model['name']}{stem}, images {channels}x{size}x{size}"
    Console().print(network_table(net, title, channels, size))
    device = trainer.accelerator.__class__.__name__.removesuffix("Accelerator")
    where = f"{trainer.world_size} x {device}" if trainer.world_size > 1 else device
    if (gpus := torch.cuda.device_count()) > config["trainer"]["devices"]:
        where += f", {gpus} GPUs are here"
    on = [f"{key} {value}" for key, value in config["regularizer"].items() if value not in (0, "none")]
    log.info("%s, %s on %s", title, f"{cost.parameters(net):,} parameters", where)
    if origin:
        log.info("%s", origin)
    if model["freeze"] != "none":
        log.info("%s of them are trained", f"{sum(p.numel() for p in net.parameters() if p.requires_grad):,}")
    log.info("%s, batch size %s, %s", data["name"], data["batch_size"], ", ".join(on) or "no regularizer")
    usual = {"folds": None, "fraction": 1, "imbalance": 1, "label_noise": 0}
    if changed := [f"{key} {data[key]}" for key, value in usual.items() if data[key] != value]:
        fold = f", fold {data['fold']}" if data["folds"] is not None else ""
        log.info("training images: %s", ", ".join(changed) + fold)
    lr, images = learning_rate(config), config["trainer"]["lr_batch_size"]
    scaled = f" (scaled from {optim['lr']:g} for {images} images a step)" if lr != optim["lr"] else ""
    name = optim["_target_"].rsplit(".")[-1]
    log.info("%s, lr %g%s, %s", name, lr, scaled, duration(config["budget"], config["trainer"]))
    if config["trainer"]["compile"]:
        log.info("the first step compiles the network, which may take minutes")
    pieces = config["trainer"]["micro_batches"]
    if pieces > 1 and config["regularizer"]["norm"] == "batch":
        log.info("BatchNorm takes its statistics from each of the %s pieces of a batch", pieces)
    for key in without_effect(net, model, config["regularizer"]):
        log.info("%s has nothing to act on in %s", key, model["name"])
