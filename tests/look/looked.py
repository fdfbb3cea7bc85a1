"""Runs to be looked at: folders as training leaves them, without training."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import OmegaConf

from cnnlab.build import build_network
from cnnlab.look.opened import opened
from cnnlab.look.subject import Subject
from conftest import compose_config

NETWORKS = {  # in a size that draws quickly
    "lenet5": [],
    "vgg11": ["model.width=0.1"],
    "googlenet": ["model.width=0.1"],
    "resnet20": ["model.width=0.5"],
}
DIGITS = ["datamodule.fraction=0.1", "datamodule.batch_size=16"]


def folder_of(place: Path, *overrides: str, state: str = "done") -> Path:
    """A run with the weights that its seed draws."""
    config = compose_config(*DIGITS, *overrides)
    (place / ".hydra").mkdir(parents=True)
    (place / ".hydra" / "config.yaml").write_text(OmegaConf.to_yaml(config))
    (place / "status.json").write_text(json.dumps({"state": state}))
    (place / "checkpoints").mkdir()
    weights = {f"net.{name}": tensor for name, tensor in build_network(config).state_dict().items()}
    torch.save({"state_dict": weights}, place / "checkpoints" / "best.ckpt")
    return place


def subject_of(place: Path, *overrides: str, count: int = 4, class_name: str | None = None) -> Subject:
    """The same, opened."""
    return opened(folder_of(place, *overrides), count, class_name)


def predict(subject: Subject, probabilities: Any) -> None:
    """Has the run predicted these [N, K] for its first N test images."""
    labels = subject.data.source.read("test").labels[: len(probabilities)]  # type: ignore[union-attr]
    shares = np.asarray(probabilities, np.float32)
    np.savez(subject.folder / "predictions.npz", index=np.arange(len(labels)), label=labels, probabilities=shares)
