"""`cnnlab eval`: a trained network, or several together, on test images."""

import copy
import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import nn

from cnnlab.build import build_classifier, build_data, build_trainer
from cnnlab.callbacks.predictions import Predictions
from cnnlab.data.datamodule import ImageData
from cnnlab.data.source import Source
from cnnlab.errors import UserError
from cnnlab.inference.trained import Trained
from cnnlab.levers import settings
from cnnlab.metrics import Scores
from cnnlab.report.prediction_file import Predictions as Predicted
from cnnlab.report.prediction_file import read_predictions
from cnnlab.run import Config

SMALLEST = 1e-12  # of a probability, whose logarithm is taken


@dataclass(frozen=True)
class Evaluated:
    """metrics: 'test/accuracy', ... predicted: image by image."""

    metrics: dict[str, float]
    predicted: Predicted


def evaluate(trained: Trained, config: Config, source: Source | None = None, net: nn.Module | None = None) -> Evaluated:
    """On the test images of a configuration, in batches as training composes them: the same figures to the last bit.

    source: instead of the configuration's. net: instead of the trained one, say with several views of each image.
    """
    data = build_data(config)
    if source is not None:
        data.source = source
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    with TemporaryDirectory() as folder, warnings.catch_warnings(), settings(trained.config["trainer"]):
        for known in ("The '.*_dataloader' does not have many workers", ".*LeafSpec.* is deprecated", "The `srun`.*"):
            warnings.filterwarnings("ignore", message=known)
        trainer = build_trainer(
            {**config["trainer"], "devices": 1, "num_nodes": 1, "profiler": None},
            logger=False,
            callbacks=[Predictions(Path(folder, "predictions.npz"))],
            default_root_dir=folder,
            use_distributed_sampler=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        classifier = build_classifier(trained.config, net or trained.net)
        metrics = trainer.test(classifier, data, verbose=False)[0]
        return Evaluated(dict(metrics), read_predictions(Path(folder, "predictions.npz")))


def together(several: Sequence[Evaluated], names: Sequence[str]) -> Evaluated:
    """An ensemble: the mean of their probabilities.

    Raises:
        UserError: they were tested on different images, or know different numbers of classes.
    """
    first = several[0].predicted
    for one, name in zip(several, names, strict=True):
        if one.predicted.test_set != first.test_set or one.predicted.probabilities.shape != first.probabilities.shape:
            raise UserError(f"eval: {name} was tested on other images or classes than {names[0]}: no ensemble of them")
    mean = torch.stack([torch.from_numpy(one.predicted.probabilities).double() for one in several]).mean(dim=0)
    predicted = Predicted(first.index, first.label, mean.float().numpy())
    return Evaluated(scores_of(predicted), predicted)


def scores_of(predicted: Predicted) -> dict[str, float]:
    """The metrics of probabilities."""
    probabilities = torch.from_numpy(predicted.probabilities).double().clamp(min=SMALLEST)
    labels = torch.from_numpy(predicted.label)
    scores = Scores(probabilities.shape[1])
    loss = nn.functional.nll_loss(probabilities.log(), labels)
    scores.update(probabilities, labels, loss, loss)
    values = scores.compute()
    return {f"test/{name}": float(values[name]) for name in ("loss", "accuracy", "top5_accuracy", "macro_f1")}


def on_other_data(config: Config, datamodule: Config, typed: Sequence[str]) -> Config:
    """The run's configuration with another datamodule, whose images are shown as the network is used to.

    Raises:
        UserError: its images or classes do not fit the network.
    """
    own = config["datamodule"]
    for key in ("num_classes", "in_channels"):
        if datamodule[key] != own[key]:
            raise UserError(
                f"datamodule={datamodule['name']} has {key}={datamodule[key]}, but the network was trained on "
                f"{own['name']} with {own[key]}"
            )
    changed = copy.deepcopy(config)
    used_to = {key: own[key] for key in ("image_size", "mean", "std", "eval_batch_size")}
    used_to = {key: value for key, value in used_to.items() if f"datamodule.{key}" not in typed}
    changed["datamodule"] = {**datamodule, **used_to}
    return changed


def test_data(config: Config) -> ImageData:
    """Its test images, read.

    Raises:
        UserError: they are not there.
    """
    data = build_data(config)
    data.prepare_data()
    data.setup("test")
    return data
