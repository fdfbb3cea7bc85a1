"""A cell of a study: one configuration, its readable name and its identity."""

import hashlib
import json
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from cnnlab.check import check

# Where things lie and what one sees: none of it changes a result.
WITHOUT_EFFECT = (
    "study",
    "on_code_change",
    "allowed_packages",
    "runs_dir",
    "data_dir",
    "logger",
    "budget",  # its effect is that of trainer.max_epochs, trainer.max_steps and callbacks.budget
    "model.card",
    "datamodule.num_workers",
    "datamodule.eval_batch_size",
    "datamodule.download",
    "datamodule.mirrors",
    "datamodule.verify",
    "datamodule.source.download",
    "datamodule.source.mirrors",
    "datamodule.source.verify",
    "callbacks.progress",
    "callbacks.pictures",
    "trainer.profiler",
    "trainer.max_restarts",
    "trainer.detect_anomaly",
    "trainer.activation_checkpointing",  # the same to the last bit
)
# Keys of trainer.* that came later, at the values that do what was done before: folders keep their names. fast is one
# of them, not what it turns on, so that a cell has the same name on every machine
AS_EVER = {
    "on_divergence": "stop",
    "fast": False,
    "channels_last": False,
    "compile": False,
    "cudnn_benchmark": False,
    "matmul_precision": "highest",
}


OF_A_SWEEP = {"hydra", "ablation", "tune"}


def resolved(cfg: DictConfig) -> dict[str, Any]:
    """The configuration of a cell as plain values: without Hydra's own part, and what is about the whole sweep."""
    if not OF_A_SWEEP.isdisjoint(map(str, cfg)):
        cfg = OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key not in OF_A_SWEEP])
    values: dict[str, Any] = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)  # type: ignore[assignment]
    return values


def cell_name(cfg: DictConfig) -> str:
    """vgg16-batch-dropout0.5-adam-cifar10-s0-1a2b3c4d: what one wants to read, then a hash of all that has an effect.

    Raises:
        UserError: the configuration is not legal; what has no legal configuration has no name.
    """
    config = resolved(cfg)
    check(config)
    return named(config)


def named(config: dict[str, Any]) -> str:
    """The name of a configuration that is legal."""
    optimizer = config["optim"]["_target_"].rsplit(".")[-1].lower()
    parts = [
        config["model"]["name"],
        regularizer_label(config["regularizer"]),
        optimizer,
        config["datamodule"]["name"],
        f"s{config['seed']}",
        identity(config),
    ]
    return "-".join(parts)


def regularizer_label(regularizer: dict[str, Any]) -> str:
    """What is on: 'none', or 'batch-dropout0.5-weight_decay0.0005'."""
    norm = regularizer["norm"]
    on = [f"{key}{value:g}" for key, value in regularizer.items() if key != "norm" and value]
    return "-".join(([] if norm == "none" else [norm]) + on) or "none"


def identity(config: dict[str, Any]) -> str:
    """Eight hexadecimal digits that two configurations share if they say the same, whatever has no effect apart."""
    data_dir = ("datamodule.data_dir", "datamodule.source.data_dir") if config["datamodule"]["verified"] else ()
    effective = _effective(config, {*WITHOUT_EFFECT, *data_dir})
    weights = Path(str(config["model"]["weights"]))
    if weights.parent.name == "checkpoints":  # of a cell, whose name says what it is, wherever it lies
        effective["model"]["weights"] = "/".join(weights.parts[-3:])
    trainer = effective["trainer"]
    effective["trainer"] = {key: value for key, value in trainer.items() if AS_EVER.get(key, ...) != value}
    if effective["pruning"]:
        del effective["pruning"]["storage"]
    canonical = json.dumps(effective, sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:8]


def _effective(value: Any, without: set[str], path: str = "") -> Any:
    """Without these keys, and with numbers alike.

    1 and 1.0 mean the same, but for trainer.limit_*_batches: one batch, and all of them.
    """
    if isinstance(value, dict):
        paths = {key: f"{path}.{key}" if path else str(key) for key in value}
        return {key: _effective(item, without, paths[key]) for key, item in value.items() if paths[key] not in without}
    if isinstance(value, list):
        return [_effective(item, without) for item in value]
    key = path.rpartition(".")[2]
    number = isinstance(value, int) and not isinstance(value, bool) and not key.startswith("limit_")
    return float(value) if number else value
