"""One run: from its configuration to result.json. The configuration stops here."""

import inspect
import logging
import time
import warnings
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import lightning
import torch
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from rich.console import Console
from torch import nn

from cnnlab import checkpoints, cost, weights
from cnnlab.atomic import write_json
from cnnlab.callbacks.predictions import Predictions
from cnnlab.callbacks.stop import Stop
from cnnlab.callbacks.stopwatch import Stopwatch
from cnnlab.classifier import Classifier
from cnnlab.data.datamodule import ImageData
from cnnlab.environment import environment
from cnnlab.errors import UserError
from cnnlab.finetune import freeze
from cnnlab.loggers.csv import Curves
from cnnlab.losses import Objective
from cnnlab.models.layers import Layers, without_effect
from cnnlab.optim import build_optimizer
from cnnlab.run import Config, Run
from cnnlab.summary import network_table

log = logging.getLogger(__name__)


def make(group: str, config: Config, **more: Any) -> Any:
    """What the group's `_target_` makes of its keys and of what only the program knows.

    Raises:
        UserError: the target does not exist, does not take these keys, or refuses their values.
    """
    target = config["_target_"]
    try:
        # the call is ours: Hydra would turn a dataclass among the arguments into a configuration
        prepared = instantiate({**config, "_partial_": True}, _convert_="all")
        later = config.get("_partial_", False)
        inspect.signature(prepared.func).bind_partial(*prepared.args, **prepared.keywords, **more)
    except (InstantiationException, TypeError) as error:
        raise UserError(f"{group}: {target}: {error.__cause__ or error}") from error
    return partial(prepared, **more) if later else prepared(**more)


# what of model.* makes the layers, and what is about weights and words; the rest is the network's own
OF_LAYERS = ("activation", "init", "init_std", "pool", "width", "norm_eps")
NOT_OF_NETWORK = (
    *OF_LAYERS,
    "name",
    "paper_init",
    "weights",
    "freeze",
    "backbone_lr_factor",
    "auxiliary_weight",
    "card",
)


def build_network(config: Config) -> nn.Module:
    """The network of a run, with the regularizers that act inside it, and with weights as they are drawn."""
    model, regularizer = config["model"], config["regularizer"]
    inside = {key: regularizer[key] for key in ("norm", "dropout", "spatial_dropout", "stochastic_depth")}
    of_layers = {key: model[key] for key in OF_LAYERS}
    if model["init"] == "paper":
        of_layers["init"] = model["paper_init"]
    shape = {key: value for key, value in model.items() if key not in NOT_OF_NETWORK}
    net: nn.Module = make("model", shape, layers=Layers(**of_layers, **inside))
    return net


def build_data(config: Config) -> ImageData:
    """The data of a run, with its augmentation."""
    shape = {key: value for key, value in config["datamodule"].items() if key not in ("name", "data_dir", "verified")}
    data: ImageData = make("datamodule", {**shape, **config["augment"], "seed": config["seed"]})
    return data


def build_classifier(config: Config, net: nn.Module) -> Classifier:
    """The LightningModule of a run."""
    regularizer = config["regularizer"]
    on_weights = {key: regularizer[key] for key in ("weight_decay", "l1", "max_norm")}
    optim = dict(config["optim"])
    if "fused" in optim and "mixed" in config["trainer"]["precision"]:
        optim["fused"] = False  # fused optimizers unscale inside, where clipping and L1 cannot reach
    model = config["model"]
    on_weights["backbone_lr_factor"] = model["backbone_lr_factor"]
    return Classifier(
        net,
        Objective(regularizer["label_smoothing"], model["auxiliary_weight"]),
        model["num_classes"],
        partial(build_optimizer, make=make("optim", optim), **on_weights),
        make("scheduler", config["scheduler"]),
        config["seed"],
    )


def fit(config: Config, folder: str) -> None:
    """Trains, tests the best weights, and writes the run's files; in a DDP run each process calls it."""
    warnings.filterwarnings("ignore", message="The '.*_dataloader' does not have many workers")
    warnings.filterwarnings("ignore", message=".*sync_dist=True")  # Scores are summed over processes already
    warnings.filterwarnings("ignore", message="Grad strides do not match bucket view strides")  # costs little
    warnings.filterwarnings("ignore", message=".*LeafSpec.* is deprecated")  # Lightning's own affair
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("lightning.pytorch.profilers").setLevel(logging.INFO)  # it says what debug=profile asks for
    lightning.seed_everything(config["seed"], workers=True, verbose=False)
    cost.forget_peak_memory()  # an earlier cell of the sweep may have trained in this process
    run = Run(Path(folder))
    data = build_data(config)
    net = build_network(config)
    model = config["model"]
    if model["weights"] is not None:
        weights.load(net, model["weights"], (model["card"] or {}).get("weights", {}), config["regularizer"]["norm"])
    freeze(net, model["freeze"])
    classifier = build_classifier(config, net)
    curves, stopwatch = Curves(run.folder / "metrics.csv"), Stopwatch()
    best = checkpoints.best(run.checkpoints)
    callbacks = [
        Stop(),
        stopwatch,
        best,
        checkpoints.last(run.checkpoints),
        Predictions(run.folder / "predictions.npz"),
        *(make(f"callbacks.{name}", what) for name, what in config["callbacks"].items() if what),
    ]
    with ExitStack() as closing:
        loggers = [make(f"logger.{name}", what) for name, what in config["logger"].items()]
        trainer = make(
            "trainer",
            config["trainer"],
            logger=[curves, *(closing.enter_context(create(run.folder, config)) for create in loggers)],
            callbacks=callbacks,
            plugins=[checkpoints.WholeFiles()],
            default_root_dir=folder,
            strategy="ddp" if config["trainer"]["devices"] * config["trainer"]["num_nodes"] > 1 else "auto",
            use_distributed_sampler=False,  # data/batches.py shares batches out
            num_sanity_val_steps=0,  # they would count as an epoch's scores
            log_every_n_steps=0,  # everything is logged once an epoch
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        if trainer.is_global_zero:
            introduce(config, net, trainer)
        begun = time.perf_counter()
        trainer.fit(classifier, data)
        fit_seconds = time.perf_counter() - begun
        if not best.best_model_path:
            raise UserError("no epoch was validated, so that there are no best weights to test")
        # not ckpt_path=: an EMA callback would put the current weights back
        saved = torch.load(best.best_model_path, map_location="cpu", weights_only=True)
        classifier.load_state_dict(saved["state_dict"])
        test = trainer.test(classifier, data, verbose=False)[0]
        if trainer.is_global_zero:
            result = {
                "cell": run.folder.name,
                "seed": config["seed"],
                "metrics": {**curves.best(), **test},
                "cost": {
                    "parameters": cost.parameters(net),
                    "flops": cost.flops(net, data.in_channels, data.image_size),
                    "train_images_per_second": stopwatch.batches * data.batch_size / stopwatch.seconds,
                    "peak_memory_bytes": cost.peak_memory_bytes(),
                    "fit_seconds": fit_seconds,
                },
                "environment": environment(trainer.strategy.root_device),
            }
            write_json(run.result_file, result)


def introduce(config: Config, net: nn.Module, trainer: lightning.Trainer) -> None:
    """Says what is about to be trained, on what, and which regularizers cannot act."""
    model, data, optim = config["model"], config["datamodule"], config["optim"]
    channels, size = model["in_channels"], model["image_size"]
    stem = f", {net.stem} stem" if hasattr(net, "stem") else ""
    title = f"{model['name']}{stem}, images {channels}x{size}x{size}"
    Console().print(network_table(net, title, channels, size))
    device = trainer.accelerator.__class__.__name__.removesuffix("Accelerator")
    where = f"{trainer.world_size} x {device}" if trainer.world_size > 1 else device
    on = [f"{key} {value}" for key, value in config["regularizer"].items() if value not in (0, "none")]
    log.info("%s, %s on %s", title, f"{cost.parameters(net):,} parameters", where)
    log.info("%s, batch size %s, %s", data["name"], data["batch_size"], ", ".join(on) or "no regularizer")
    log.info("%s, lr %g, %s epochs", optim["_target_"].rsplit(".")[-1], optim["lr"], config["trainer"]["max_epochs"])
    for name in without_effect(net, config["regularizer"]):
        log.info("regularizer.%s has nothing to act on in %s", name, model["name"])
