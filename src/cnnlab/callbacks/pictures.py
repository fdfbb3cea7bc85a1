"""Pictures while a run trains and when it has ended, in its folder and for every logger that takes images."""

import copy
import logging
from pathlib import Path

import torch
from lightning import Callback, LightningModule, Trainer

from cnnlab.build import build_network
from cnnlab.classifier import Classifier
from cnnlab.data.datamodule import ImageData
from cnnlab.inference.trained import config_of
from cnnlab.look.gallery import made, recorded, require_installed, saved
from cnnlab.look.loggers import hand_over
from cnnlab.look.opened import opened
from cnnlab.look.subject import Subject
from cnnlab.run import Run

log = logging.getLogger(__name__)


class Pictures(Callback):
    """Draws what `cnnlab look` would, from rank 0; training goes on as if nobody had looked.

    pictures: their names. every: epochs between looks at activations and gradients, the beginning included. images:
    how many are shown.

    Raises:
        UserError: a picture is not known, a number is none, or what draws is not installed.
    """

    def __init__(self, pictures: list[str], every: int, images: int) -> None:
        self.pictures = recorded(pictures, every, images)
        require_installed()
        self.every = every
        self.images = images
        self.copy: torch.nn.Module | None = None  # of the network as it is without DDP, to look into

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.global_step == 0:
            self._record(trainer, pl_module, 0)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if (done := trainer.current_epoch + 1) % self.every == 0:
            self._record(trainer, pl_module, done)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.copy = None
        if trainer.is_global_zero and not config_of(Run(Path(trainer.default_root_dir)))["test"]:
            self._draw(trainer, pl_module)

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.is_global_zero:
            self._draw(trainer, pl_module)

    def _record(self, trainer: Trainer, module: LightningModule, epochs: int) -> None:
        """Sizes of activations and gradients after so many epochs, from rank 0."""
        if not trainer.is_global_zero:
            return
        from cnnlab.look.pictures.distributions import figure_of  # imports matplotlib
        from cnnlab.look.spreads import RECORD, measured, read_history

        assert isinstance(module, Classifier)
        folder = Path(trainer.default_root_dir)
        config = config_of(Run(folder))
        if self.copy is None:
            self.copy = build_network(config).to(module.device)
        self.copy.load_state_dict(module.net.state_dict())
        data = copy.copy(trainer.datamodule)  # type: ignore[attr-defined]
        data.trainer = None
        subject = Subject(folder, config, self.copy, data, module.device, self.images)
        images, labels = subject.fixed_batch()
        spreads = measured(self.copy, module.objective, images, labels)
        record = folder / "pictures" / RECORD
        read_history(record).with_one(epochs, spreads).write(record)
        figure = figure_of(subject.name, len(images), {f"epoch {epochs}": spreads})
        file = saved(figure, folder / "pictures" / "distributions.png")
        hand_over(trainer.loggers, "distributions", file, trainer.global_step)

    def _draw(self, trainer: Trainer, module: LightningModule) -> None:
        """All that are asked for, of the best weights."""
        folder = Path(trainer.default_root_dir)
        data: ImageData = trainer.datamodule  # type: ignore[attr-defined]
        with torch.inference_mode(False), torch.enable_grad():  # Lightning tests without gradients
            subject = opened(folder, self.images, data=data, device=str(module.device))
            for name, outcome in made(subject, self.pictures, folder / "pictures", optional=True):
                if isinstance(outcome, Path):
                    hand_over(trainer.loggers, name, outcome, trainer.global_step)
                else:
                    log.info("picture %s is left out: %s", name, outcome)
