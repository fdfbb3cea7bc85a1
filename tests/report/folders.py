"""Made-up studies: folders as runs leave them, without training."""

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import OmegaConf

from cnnlab.report.build import build
from cnnlab.report.content import Report
from cnnlab.report.wanted import Wanted

OFF = {"norm": "none", "dropout": 0.0, "weight_decay": 0.0, "label_smoothing": 0.0}
BASE: dict[str, Any] = {
    "seed": 0,
    "study": "made-up",
    "runs_dir": "runs",
    "regularizer": OFF,
    "model": {"name": "lenet5", "width": 1},
    "datamodule": {"name": "digits", "num_classes": 4, "fold": 0, "batch_size": 32},
    "optim": {"_target_": "torch.optim.Adam", "lr": 0.001},
    "trainer": {"max_epochs": 3},
}


class StudyFolder:
    """A study's folder, a cell at a time."""

    def __init__(self, folder: Path, command: list[str] | None = None) -> None:
        self.folder = folder
        self.record: dict[str, Any] = {"commands": [command or ["seed=0"]], "cells": {}, "latest": 0, "jobs": 1}
        folder.mkdir(parents=True, exist_ok=True)

    def add(
        self,
        accuracy: float | None = None,
        *typed: str,
        seed: int = 0,
        changes: dict[str, Any] | None = None,
        labels: dict[str, str] | None = None,
        state: str | None = "done",
        recorded: bool = True,
    ) -> Path:
        """typed: overrides, as study.json has them. changes: dotted keys of the configuration, typed or not.

        state None: it has not begun.
        """
        cell = self.folder / f"cell{len(list(self.folder.iterdir())) if not recorded else len(self.record['cells'])}"
        if recorded:
            told = {"overrides": [*typed, f"seed={seed}"], "labels": labels or {}, "command": 0}
            self.record["cells"][cell.name] = told
            (self.folder / "study.json").write_text(json.dumps({**self.record, "ablation": None}))
        if state is None:
            return cell
        config = copy.deepcopy(BASE)
        config["seed"] = seed
        for key, value in (changes or {}).items():
            OmegaConf.update(node := OmegaConf.create(config), key, value, force_add=True)
            config = OmegaConf.to_container(node)  # type: ignore[assignment]
        (cell / ".hydra").mkdir(parents=True)
        (cell / ".hydra" / "config.yaml").write_text(OmegaConf.to_yaml(config))
        status = {"state": state, "seconds": 30.0, "started": 1.0, **({} if state == "done" else {"error": "boom"})}
        (cell / "status.json").write_text(json.dumps(status))
        if state == "done":
            metrics = {"test/accuracy": accuracy, "val/accuracy": accuracy, "test/loss": 1.0, "train/accuracy": 1.0}
            environment = {"torch": "2", "commit": "4bb227f", "dirty": False}
            result = {"metrics": metrics, "cost": {"parameters": 7, "fit_seconds": 2.5}, "environment": environment}
            (cell / "result.json").write_text(json.dumps({**result, "per_class": {"cat": {}, "dog": {}}}))
            rows = [f"{epoch},{1 / (epoch + 1)},{0.5 + epoch / 10}" for epoch in range(3)]
            (cell / "metrics.csv").write_text("\n".join(["epoch,train/loss,val/accuracy", *rows]) + "\n")
        return cell

    def report(self, **wanted: Any) -> Report:
        return build(self.folder, Wanted(self.folder / "report", **wanted))


def predictions(cell: Path, labels: list[int], said: list[int], classes: int = 4) -> None:
    """predictions.npz of a network that is 70 % sure of what it says."""
    probabilities = np.full((len(labels), classes), 0.3 / (classes - 1), np.float32)
    probabilities[np.arange(len(labels)), said] = 0.7
    np.savez(cell / "predictions.npz", index=np.arange(len(labels)), label=labels, probabilities=probabilities)
