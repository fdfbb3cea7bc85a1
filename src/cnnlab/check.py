"""Types and ranges of the configuration's values, checked before anything starts; defaults are in conf/ alone."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from cnnlab.errors import UserError, refusal

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Probability = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Natural = Annotated[int, Field(ge=0)]
FolderName = Annotated[str, StringConstraints(pattern=r"^[^/\\]+$", min_length=1, max_length=200)]
Limit = Annotated[float, Field(gt=0, le=1)] | Count


class Group(BaseModel):
    """A group whose other keys are the business of what it makes."""

    model_config = ConfigDict(extra="allow", strict=True)


class Model(Group):
    name: FolderName
    in_channels: Count
    num_classes: Annotated[int, Field(ge=2)]
    image_size: Count
    activation: Literal["relu", "relu6", "sigmoid", "tanh", "scaled_tanh", "leaky_relu", "elu", "gelu", "silu"]
    init: Literal["paper", "he", "xavier", "lecun", "uniform", "gaussian", "orthogonal"]
    init_std: Positive
    pool: Literal["paper", "max", "avg"]
    width: Positive
    norm_eps: Positive
    weights: str | None
    freeze: str
    backbone_lr_factor: Positive
    auxiliary_weight: NotNegative
    stem: Literal["auto", "imagenet", "small"] | None = None


class Regularizer(Group):
    norm: Literal["none", "batch", "group", "instance", "layer"]
    dropout: Probability
    spatial_dropout: Probability
    stochastic_depth: Probability
    weight_decay: NotNegative
    l1: NotNegative
    max_norm: NotNegative
    label_smoothing: Probability


class Optim(Group):
    lr: Positive
    momentum: Probability = 0
    betas: tuple[Probability, Probability] = Field((0, 0), strict=False)


class Scheduler(Group):
    warmup_epochs: NotNegative
    step_size: Count = 1
    gamma: Positive = 1
    milestones: list[Count] = []
    patience: Natural = 0
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.5
    pct_start: Annotated[float, Field(gt=0, lt=1)] = 0.5


class Datamodule(Group):
    name: FolderName
    num_classes: Annotated[int, Field(ge=2)]
    in_channels: Count
    image_size: Count
    batch_size: Count
    val_fraction: Annotated[float, Field(gt=0, lt=1)]
    fraction: Annotated[float, Field(gt=0, le=1)]
    split_seed: Natural
    num_workers: Natural
    mean: list[float]
    std: list[Positive]


class Trainer(Group):
    accelerator: Literal["auto", "cpu", "gpu"]
    devices: Count
    num_nodes: Count
    precision: Literal["32-true", "bf16-mixed", "16-mixed", "bf16-true", "64-true"]
    max_epochs: Count
    gradient_clip_val: Positive | None
    accumulate_grad_batches: Count
    check_val_every_n_epoch: Count
    limit_train_batches: Limit
    limit_val_batches: Limit
    limit_test_batches: Limit


class Config(Group):
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    study: FolderName
    model: Model
    regularizer: Regularizer
    optim: Optim
    scheduler: Scheduler
    datamodule: Datamodule
    trainer: Trainer


def check(config: dict[str, Any]) -> None:
    """Looks at every common key.

    Raises:
        UserError: it names each wrong key, its value, and what is allowed.
    """
    try:
        Config.model_validate(config)
    except ValidationError as error:
        raise UserError("\n".join(dict.fromkeys(_explained(problem) for problem in error.errors()))) from error
    _check_data(config["datamodule"], config["model"], config["trainer"])
    _check_weights(config["model"], config["regularizer"]["norm"])
    _check_schedule(config["scheduler"], config["trainer"])
    if "weight_decay" in config["optim"]:
        raise UserError("optim.weight_decay is not where weight decay is set: regularizer.weight_decay=...")


def _check_data(data: dict[str, Any], model: dict[str, Any], trainer: dict[str, Any]) -> None:
    """What is legal alone may not be legal with the data."""
    for key in ("num_classes", "in_channels", "image_size"):
        if model[key] != data[key]:
            raise UserError(f"model.{key}={model[key]} is not datamodule.{key}={data[key]}; set the latter only")
    for key in ("mean", "std"):
        if len(data[key]) != data["in_channels"]:
            raise UserError(
                f"datamodule.{key}={data[key]} has {len(data[key])} values, but datamodule.in_channels is "
                f"{data['in_channels']}: one value a channel is needed"
            )
    share = data.get("source", {}).get("test_fraction", 0.5)
    if not (isinstance(share, int | float) and 0 < share < 1):
        raise UserError(f"datamodule.source.test_fraction={share}: it must be more than 0 and less than 1")
    processes = trainer["devices"] * trainer["num_nodes"]
    if data["batch_size"] % processes:
        raise UserError(
            f"datamodule.batch_size={data['batch_size']} is global and cannot be shared equally by {processes} "
            "processes (trainer.devices x trainer.num_nodes); take a multiple"
        )


def _check_weights(model: dict[str, Any], norm: str) -> None:
    """Trained weights must be there, or known where to be had."""
    weights = model["weights"]
    if weights == "imagenet":
        known = model["imagenet"]
        if norm not in known:
            having = f"there are some with regularizer.norm={' or '.join(known)}" if known else "it has none"
            raise UserError(f"model.weights=imagenet: not for {model['name']} with regularizer.norm={norm}; {having}")
    elif weights is not None and not Path(weights).is_file():
        raise UserError(f"model.weights={weights} is neither imagenet nor a file")


def _check_schedule(scheduler: dict[str, Any], trainer: dict[str, Any]) -> None:
    """What would not happen in so few epochs must not look as if it did."""
    epochs, every = trainer["max_epochs"], trainer["check_val_every_n_epoch"]
    if scheduler["warmup_epochs"] >= epochs:
        raise UserError(f"scheduler.warmup_epochs={scheduler['warmup_epochs']} leaves nothing of the {epochs} epochs")
    falls = {"step_size": scheduler.get("step_size", 0), "milestones": min(scheduler.get("milestones", [0]), default=0)}
    for key, first in falls.items():
        if first >= epochs > 1:
            raise UserError(
                f"scheduler.{key}: the first fall, after {first} epochs, is beyond trainer.max_epochs={epochs}"
            )
    if every > epochs:
        raise UserError(f"trainer.check_val_every_n_epoch={every}: nothing would be validated in {epochs} epochs")
    if every > 1 and scheduler["_target_"].endswith(".plateau"):
        raise UserError(f"trainer.check_val_every_n_epoch={every}: scheduler=plateau needs val/loss after each epoch")


def _explained(problem: Any) -> str:
    # unions and list positions are pydantic's affair, not the user's
    loc = [str(part) for part in problem["loc"] if isinstance(part, str) and part.isidentifier()]
    key, value, message = ".".join(loc), problem["input"], problem["msg"]
    if problem["type"] == "missing":
        whole = problem["loc"][-1] == loc[-1]
        return f"{key} is missing" if whole else f"{key}={value}: it has too few values"
    if problem["type"] == "literal_error":
        allowed = problem["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
        return refusal(key, value, allowed)
    if problem["type"] == "string_pattern_mismatch":
        return f"{key}={value}: it names a folder and must not contain slashes"
    message = (
        message.replace("Input should be", "must be")
        .replace("a valid integer", "a whole number")
        .replace("a valid", "a")
    )
    return f"{key}={value}: it {message}"
