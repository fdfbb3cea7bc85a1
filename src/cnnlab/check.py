"""The configuration's values, each by itself and with the others, before anything starts."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cnnlab.allowed import require_allowed
from cnnlab.errors import UserError, refusal
from cnnlab.look.gallery import recorded, require_installed
from cnnlab.ranges import Config
from cnnlab.secrets import require_no_secret

PICTURES = "cnnlab.callbacks.pictures.Pictures"


def check(config: dict[str, Any]) -> None:
    """Looks at every common key.

    Raises:
        UserError: it names each wrong key, its value, and what is allowed.
    """
    require_allowed(config)
    require_no_secret(config)
    check_ranges(config)
    if config["study"] in (".", ".."):
        raise UserError(f"study={config['study']}: it names a folder of its own below runs_dir")
    _check_data(config["datamodule"], config["model"], config["trainer"])
    _check_levers(config["trainer"])
    _check_weights(config["model"], config["regularizer"]["norm"])
    _check_schedule(config["scheduler"], config["trainer"])
    _check_budget(config["budget"], config["trainer"], config["scheduler"])
    pictures = config["callbacks"].get("pictures")
    if pictures and pictures.get("_target_") == PICTURES:
        recorded(*(pictures.get(key) for key in ("pictures", "every", "images")))
        require_installed()
    if config["logger"].get("mlflow") and find_spec("mlflow") is None:
        raise UserError("logger=mlflow needs MLflow: pip install 'cnnlab[mlflow]'")
    for key in ("mixup", "cutmix"):
        if 0 < config["regularizer"][key] < 0.001:
            raise UserError(f"regularizer.{key}={config['regularizer'][key]}: it must be 0, or 0.001 at least")
    if "weight_decay" in config["optim"]:
        raise UserError("optim.weight_decay is not where weight decay is set: regularizer.weight_decay=...")


def check_ranges(config: dict[str, Any], complete: bool = True) -> None:
    """Looks at each value by itself.

    complete: whether a key that is not there is an error.

    Raises:
        UserError: as `check`.
    """
    try:
        Config.model_validate(config)
    except ValidationError as error:
        problems = [problem for problem in error.errors() if complete or problem["type"] != "missing"]
        if problems:
            raise UserError("\n".join(dict.fromkeys(map(_explained, problems)))) from error


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
    if data["folds"] is None and data["fold"]:
        raise UserError(f"datamodule.fold={data['fold']} says nothing without datamodule.folds, the number of folds")
    if data["folds"] is not None and data["fold"] >= data["folds"]:
        raise UserError(
            f"datamodule.fold={data['fold']}: folds are counted from 0, so that it must be less than "
            f"datamodule.folds={data['folds']}"
        )
    if data["on_bad"] == "skip" and not data["verify"]:
        raise UserError("datamodule.on_bad=skip needs datamodule.verify=true: what is skipped must be known beforehand")
    processes, pieces = trainer["devices"] * trainer["num_nodes"], trainer["micro_batches"]
    if data["batch_size"] % processes:
        raise UserError(
            f"datamodule.batch_size={data['batch_size']} is global and cannot be shared equally by {processes} "
            "processes (trainer.devices x trainer.num_nodes); take a multiple"
        )
    if trainer["max_restarts"] and trainer["num_nodes"] > 1:
        raise UserError(
            f"trainer.max_restarts={trainer['max_restarts']} is for runs on one machine; on trainer.num_nodes="
            f"{trainer['num_nodes']} SLURM or torchrun start a run anew, and it goes on from its last epoch"
        )
    if (share := data["batch_size"] // processes) % pieces:
        fits = [str(number) for number in range(1, share + 1) if share % number == 0]
        raise UserError(
            f"trainer.micro_batches={pieces}: the {share} images of a process cannot be cut into so many equal "
            f"pieces; it can be {', '.join(fits)}"
        )


def _check_levers(trainer: dict[str, Any]) -> None:
    """Some ways to be fast exclude each other."""
    compiled = f"trainer.compile={str(trainer['compile']).lower()}"
    if trainer["activation_checkpointing"] and trainer["compile"]:
        raise UserError(
            f"trainer.activation_checkpointing=true: not with {compiled}, which decides itself what to compute again"
        )
    if trainer["activation_checkpointing"] and trainer["sync_batchnorm"]:
        raise UserError(
            "trainer.activation_checkpointing=true: not with trainer.sync_batchnorm=true, whose processes would "
            "exchange their statistics twice"
        )
    if trainer["cudnn_benchmark"] and trainer["deterministic"]:
        raise UserError(
            "trainer.cudnn_benchmark=true: not with trainer.deterministic=true, as which kernel wins may differ"
        )
    if trainer["compile"] == "reduce-overhead" and trainer["accelerator"] == "cpu":
        raise UserError(f"{compiled}: it is CUDA graphs, which need a GPU; take trainer.compile=true")


def _check_weights(model: dict[str, Any], norm: str) -> None:
    """Trained weights must be there, or known where to be had."""
    weights = model["weights"]
    if weights == "imagenet":
        if model["in_channels"] != 3:
            raise UserError(f"model.weights=imagenet is for images of 3 channels, not {model['in_channels']}")
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


TIMELESS = ("constant", "exponential", "plateau")  # schedules that do not ask how long training takes


def _check_budget(budget: dict[str, Any], trainer: dict[str, Any], scheduler: dict[str, Any]) -> None:
    """What a budget decides must be as it decided."""
    name, amount = budget["name"], budget["amount"]
    if (name == "epochs") != (amount is None):
        instead = "trainer.max_epochs is the budget" if name == "epochs" else "it must be a number above 0"
        raise UserError(f"budget.amount={amount}: with budget={name} {instead}")
    for key, value in (("max_epochs", budget.get("epochs")), ("max_steps", budget.get("steps"))):
        if value is not None and trainer[key] != value:
            raise UserError(
                f"trainer.{key}={trainer[key]}: budget={name} makes it {value}. Leave it to the budget (debug= may set "
                "it), or take budget=epochs"
            )
    if name != "seconds":
        return
    schedule = scheduler["_target_"].rpartition(".")[2]
    if schedule not in TIMELESS:
        raise UserError(
            f"scheduler={schedule} must know how long training takes, which budget=seconds leaves open; take "
            f"scheduler={', '.join(TIMELESS)}"
        )
    if (every := trainer["check_val_every_n_epoch"]) > 1:
        raise UserError(
            f"trainer.check_val_every_n_epoch={every}: with budget=seconds any epoch may be the last; take 1"
        )


PATTERNS = {
    "logger.wandb.project": "must not be empty, nor contain any of / \\ # ? % :",
    "logger.wandb.entity": "names a user or a team, without spaces and slashes",
    "logger.mlflow.tracking_uri": "must begin with http://, https://, sqlite:///, mysql://, postgresql://, mssql://, "
    "file: or databricks, or be a folder",
}


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
        return f"{key}={value}: it {PATTERNS.get(key, 'names a folder and must not contain slashes')}"
    message = (
        message.replace("Input should be", "must be")
        .replace("a valid integer", "a whole number")
        .replace("a valid", "a")
    )
    return f"{key}={value}: it {message}"
