"""What a configuration stands for: data, network, classifier."""

from dataclasses import fields
from functools import partial
from typing import Any

import lightning
import torch
from torch import nn

from cnnlab import weights
from cnnlab.classifier import Classifier
from cnnlab.data.augment import Policy
from cnnlab.data.batches import Batching
from cnnlab.data.datamodule import ImageData
from cnnlab.data.draws import Draws
from cnnlab.finetune import freeze
from cnnlab.levers import LEVERS, memory_format
from cnnlab.losses import Objective
from cnnlab.mixing import Mixing
from cnnlab.models.layers import Layers
from cnnlab.models.parts.paired_draws import PairedDraws
from cnnlab.optim import build_optimizer
from cnnlab.run import Config
from cnnlab.targets import make

# what of model.* makes the layers, and what is about weights and words; the rest is the network's own
OF_LAYERS = ("activation", "init", "init_std", "pool", "width", "norm_eps")
NOT_OF_NETWORK = (
    *OF_LAYERS,
    "name",
    "paper_init",
    "weights",
    "imagenet",
    "freeze",
    "backbone_lr_factor",
    "auxiliary_weight",
    "card",
)


def build_network(config: Config) -> nn.Module:
    """The network of a run, with the regularizers that act inside it, and with weights as its seed draws them."""
    model, regularizer = config["model"], config["regularizer"]
    inside = {key: regularizer[key] for key in ("norm", "dropout", "spatial_dropout", "stochastic_depth")}
    of_layers = {key: model[key] for key in OF_LAYERS}
    of_layers["paper_biases"] = model["init"] == "paper"
    if model["init"] == "paper":
        of_layers["init"] = model["paper_init"]
    shape = {key: value for key, value in model.items() if key not in NOT_OF_NETWORK}
    with torch.random.fork_rng(devices=[]), PairedDraws(config["seed"]):
        net: nn.Module = make("model", shape, layers=Layers(**of_layers, **inside))
    return net


def starting_network(config: Config) -> tuple[nn.Module, str]:
    """The network that training begins with, and what is to be said of trained weights, if it has some.

    Raises:
        UserError: model.weights cannot be had, or model.freeze leaves nothing to train.
    """
    net, model = build_network(config), config["model"]
    origin = ""
    if model["weights"] is not None:
        origin = weights.load(net, model["weights"], model["imagenet"], config["regularizer"]["norm"])
    freeze(net, model["freeze"])
    return net, origin


# what of datamodule.* is not ImageData's own: words, and what is drawn from the data
NOT_OF_DATA = ("name", "data_dir", "verified", "download", "mirrors", "verify", "on_bad")
OF_DRAWS = tuple(field.name for field in fields(Draws))
OF_BATCHING = tuple(field.name for field in fields(Batching))


def build_data(config: Config) -> ImageData:
    """The data of a run, with its augmentation."""
    others = (*NOT_OF_DATA, *OF_DRAWS, *OF_BATCHING)
    keys = {key: value for key, value in config["datamodule"].items() if key not in others}
    draws = Draws(**{key: config["datamodule"][key] for key in OF_DRAWS})
    of_batching = {**config["datamodule"], **config["trainer"]}
    batching = Batching(**{key: of_batching[key] for key in OF_BATCHING})
    augment = config["augment"]
    policy = Policy(augment["transforms"], augment["full_image"], lambda step: make("augment.transforms", step))
    source = make("datamodule.source", keys.pop("source"))
    more = {"source": source, "draws": draws, "batching": batching, "policy": policy, "seed": config["seed"]}
    data: ImageData = make("datamodule", keys, **more)
    return data


# what of trainer.* is cnnlab's own
NOT_OF_TRAINER = (
    "scale_lr",
    "lr_batch_size",
    "max_restarts",
    "sync_batchnorm",
    "on_divergence",
    "fast",
    *(lever for lever in LEVERS if lever != "precision"),
    *OF_BATCHING,
)


def build_trainer(trainer: Config, **more: Any) -> lightning.Trainer:
    """Lightning's, with what only the program knows; limits and pieces of batches are data/batches.py's affair."""
    keys = {key: value for key, value in trainer.items() if key not in NOT_OF_TRAINER}
    keys["accumulate_grad_batches"] *= trainer["micro_batches"]
    made: lightning.Trainer = make("trainer", keys, **more)
    return made


def learning_rate(config: Config) -> float:
    """optim.lr; with trainer.scale_lr=linear it is meant for trainer.lr_batch_size images a step, and scaled to ours.

    Goyal et al.: Accurate, large minibatch SGD, 2017, section 2.1 (they warm up over the first 5 epochs).
    """
    trainer, lr = config["trainer"], float(config["optim"]["lr"])
    if trainer["scale_lr"] == "none":
        return lr
    images_a_step: int = config["datamodule"]["batch_size"] * trainer["accumulate_grad_batches"]
    return lr * images_a_step / int(trainer["lr_batch_size"])


def build_classifier(config: Config, net: nn.Module) -> Classifier:
    """The LightningModule of a run."""
    regularizer = config["regularizer"]
    on_weights = {key: regularizer[key] for key in ("weight_decay", "l1", "max_norm")}
    optim = {**config["optim"], "lr": learning_rate(config)}
    if "fused" in optim and "mixed" in config["trainer"]["precision"]:
        optim["fused"] = False  # fused optimizers unscale inside, where clipping and L1 cannot reach
    if "fused" in optim and config["callbacks"].get("gradual_unfreezing"):
        optim["fused"] = False  # fused SGD wants momentum of all weights or of none, and those that join have none yet
    model = config["model"]
    on_weights["backbone_lr_factor"] = model["backbone_lr_factor"]
    return Classifier(
        net,
        Mixing(regularizer["mixup"], regularizer["cutmix"]),
        Objective(regularizer["label_smoothing"], model["auxiliary_weight"]),
        model["num_classes"],
        partial(build_optimizer, make=make("optim", optim), **on_weights),
        make("scheduler", config["scheduler"]),
        config["seed"],
        memory_format(config["trainer"]),
    )
