"""A recipe of cnnlab's trained in the habits of the usual Lightning + Hydra templates; all is imported at the top.

python -m cnnlab.bench.accuracy_template FOLDER WORKERS [group=choice ...] [key=value ...]: the same network, initial
weights, optimizer, schedule, images and augmentation as `cnnlab train` with these words, but images one by one.
"""

import sys
from pathlib import Path
from typing import Any

import hydra  # noqa: F401
import lightning as L
import rich.tree  # noqa: F401
import wandb  # noqa: F401
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint, RichModelSummary
from lightning.pytorch.loggers import CSVLogger
from torch import Tensor
from torch.optim import Optimizer
from torch.utils.data import DataLoader

from cnnlab.atomic import write_json
from cnnlab.bench.data import plain_of
from cnnlab.bench.lightnings import Batch, Habits
from cnnlab.build import build_classifier, build_data, build_network
from cnnlab.callbacks.clock import Clock
from cnnlab.classifier import Classifier
from cnnlab.conf import composed, register
from cnnlab.data.datamodule import ImageData
from cnnlab.data.source import Stage
from cnnlab.optim import add_l1
from cnnlab.run import Config


class WithRecipe(Habits):
    """A template's module that trains as the classifier would."""

    def __init__(self, classifier: Classifier, num_classes: int) -> None:
        super().__init__(classifier.net, classifier.make_optimizer, num_classes)
        self.mixing, self.objective = classifier.mixing, classifier.objective
        self.make_schedule = classifier.make_schedule

    def model_step(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        if not self.training:
            return super().model_step(batch)
        images, targets = self.mixing(batch[0], batch[1])
        loss, _, logits = self.objective(self.net(images), targets)
        return loss, logits.argmax(dim=1), targets.main

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        add_l1(optimizer)

    def configure_optimizers(self) -> Any:
        optimizer, epochs = self.make_optimizer(self.net), self.trainer.max_epochs
        assert epochs is not None
        return [optimizer], self.make_schedule(optimizer, int(self.trainer.estimated_stepping_batches), epochs)


def train(config: Config, folder: Path, workers: int) -> None:
    """Trains, tests, and writes test.json and clock.jsonl into the folder."""
    L.seed_everything(config["seed"], workers=True)
    data = build_data(config)
    data.prepare_data()
    data.setup("fit")
    data.setup("test")
    module = WithRecipe(build_classifier(config, build_network(config)), config["model"]["num_classes"])
    keys = config["trainer"]
    trainer = L.Trainer(
        accelerator=keys["accelerator"],
        devices=1,
        precision=keys["precision"],
        max_epochs=keys["max_epochs"],
        gradient_clip_val=keys["gradient_clip_val"],
        accumulate_grad_batches=keys["accumulate_grad_batches"],
        logger=CSVLogger(folder),
        callbacks=[
            ModelCheckpoint(folder, monitor="val/acc", mode="max", save_last=True),
            EarlyStopping("val/acc", mode="max", patience=100),
            RichModelSummary(),
            Clock(str(folder / "clock.jsonl"), "val/acc"),
        ],
    )
    train_images = plain_of(config, data, workers)
    assert train_images.generator is not None
    train_images.generator.manual_seed(config["seed"])
    trainer.fit(module, train_images, judged(config, data, "val", workers))
    tested = trainer.test(module, judged(config, data, "test", workers), verbose=False)[0]
    write_json(folder / "test.json", {"test/accuracy": tested["test/acc"]})


def judged(config: Config, data: ImageData, stage: Stage, workers: int) -> "DataLoader[Any]":
    """Every image once, not augmented."""
    unaugmented = {**config, "augment": {"transforms": [], "full_image": False}}
    images: Any = plain_of(unaugmented, data, workers, stage).dataset
    return DataLoader(images, config["datamodule"]["eval_batch_size"], num_workers=workers)


if __name__ == "__main__":
    register()
    train(composed(*sys.argv[3:]), Path(sys.argv[1]), int(sys.argv[2]))
