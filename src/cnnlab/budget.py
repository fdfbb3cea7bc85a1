"""Budgets that are equal for every cell of a comparison: how many steps and epochs of this cell they are."""

import json
import math
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from omegaconf import DictConfig, OmegaConf

from cnnlab.check import check_ranges
from cnnlab.data.draws import Draws
from cnnlab.data.limits import limited
from cnnlab.errors import UserError
from cnnlab.targets import make

FORWARD_PASSES = 3  # that a step costs: its backward pass takes about two


@dataclass(frozen=True)
class Epoch:
    """So many batches, of which `accumulated` make a step; the last step takes what is left."""

    batches: int
    batch_size: int
    accumulated: int

    @property
    def images(self) -> int:
        return self.batches * self.batch_size

    @property
    def steps(self) -> int:
        return -(-self.batches // self.accumulated)


def epochs_of_steps(steps: object, root: DictConfig) -> int:
    """How many epochs so many steps begin.

    Raises:
        UserError: they are no whole number, or the data cannot be had.
    """
    if not isinstance(steps, int) or isinstance(steps, bool) or steps < 1:
        raise UserError(f"budget.amount={steps}: it must be a whole number of optimizer steps, 1 at least")
    return -(-steps // _epoch_of(root).steps)


def steps_of_flops(amount: object, root: DictConfig) -> int:
    """How many steps so many floating-point operations are enough for.

    Raises:
        UserError: they are not enough for one, or no number; or the data cannot be had, or the network not be built.
    """
    if not isinstance(amount, int | float) or isinstance(amount, bool) or not 0 < amount < math.inf:
        raise UserError(f"budget.amount={amount}: it must be a number of floating-point operations above 0, as 1e15")
    of_image = FORWARD_PASSES * _flops(_text(_plain(root.model)), root.regularizer.norm)
    epoch = _epoch_of(root)
    of_step = min(epoch.batch_size * epoch.accumulated, epoch.images)
    whole, rest = divmod(int(amount / of_image), epoch.images)
    steps = whole * epoch.steps + rest // of_step
    if steps < 1:
        raise UserError(
            f"budget.amount={amount:g}: one step of {root.model.name} takes {of_image * of_step:.4g} FLOPs "
            f"({of_step} images a step); it must be as much at least"
        )
    return steps


def _epoch_of(root: DictConfig) -> Epoch:
    # of the trainer only these: others are what is being asked
    trainer = {key: root.trainer[key] for key in ("accumulate_grad_batches", "limit_train_batches")}
    return _epoch(json.dumps({"datamodule": _plain(root.datamodule), "trainer": trainer}))


@cache
def _epoch(config: str) -> Epoch:
    """Of the training images that trainer.limit_train_batches leaves."""
    values = json.loads(config)
    check_ranges(values, complete=False)
    data, trainer = values["datamodule"], values["trainer"]
    images = _training_images(_text(data))
    if images < data["batch_size"]:
        raise UserError(f"datamodule.batch_size={data['batch_size']} is more than the {images} training images")
    batches = limited(images // data["batch_size"], trainer["limit_train_batches"])
    return Epoch(batches, data["batch_size"], trainer["accumulate_grad_batches"])


def _plain(node: Any) -> dict[str, Any]:
    return OmegaConf.to_container(node, resolve=True, throw_on_missing=True)  # type: ignore[return-value]


def _text(values: dict[str, Any]) -> str:
    """To remember by, without what neither the images' number nor the operations depend on."""
    other = ("card", "batch_size", "eval_batch_size", "num_workers", "feed", "device_mib", "mean", "std")
    return json.dumps({key: value for key, value in values.items() if key not in other}, sort_keys=True)


@cache
def _training_images(datamodule: str) -> int:
    """How many are left of a data set when all is drawn from it."""
    data = json.loads(datamodule)
    source = make("datamodule.source", data["source"])
    source.prepare()
    draws = Draws(**{field.name: data[field.name] for field in fields(Draws)})
    train, _ = draws.divided(source.read("train"), source.read("val"))
    return len(draws.changed(train, data["num_classes"]))


@cache
def _flops(model: str, norm: str) -> int:
    """Of one image's forward pass; the other regularizers do not change it."""
    import torch

    from cnnlab.build import build_network
    from cnnlab.cost import flops

    config = {"seed": 0, "model": json.loads(model)}
    check_ranges(config, complete=False)
    off = {"dropout": 0.0, "spatial_dropout": 0.0, "stochastic_depth": 0.0}
    with torch.device("meta"):
        net = build_network({**config, "regularizer": {"norm": norm, **off}})
    return flops(net, config["model"]["in_channels"], config["model"]["image_size"])
