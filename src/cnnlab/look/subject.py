"""What pictures are made of: a run's best network, its data, and some images to look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnlab.build import build_network
from cnnlab.data.datamodule import ImageData
from cnnlab.data.resize import fit_to
from cnnlab.data.source import ImageSet, Labels, Stage
from cnnlab.errors import UserError
from cnnlab.report.prediction_file import Predictions, read_predictions
from cnnlab.run import Config

Positions = NDArray[np.int64]


class NotForThisRun(UserError):
    """A picture that this run has nothing for; among several it is left out."""


@dataclass(frozen=True)
class Sample:
    """Some images as the network sees them [N, C, H, W], with their labels and predicted probabilities [N, K]."""

    images: Tensor
    labels: Tensor
    probabilities: Tensor

    @property
    def predicted(self) -> Tensor:
        return self.probabilities.argmax(dim=1)


@dataclass
class Subject:
    """A run that is looked at. Its images are those of the test set, if the run has tested, else the validation set's.

    net: with the best weights, in evaluation. count: images to be shown. label: the only class to be shown, if any.
    """

    folder: Path
    config: Config
    net: nn.Module
    data: ImageData
    device: torch.device
    count: int
    label: int | None = None

    @property
    def name(self) -> str:
        return f"{self.config['model']['name']} on {self.config['datamodule']['name']}"

    @property
    def classes(self) -> Sequence[str]:
        return self.data.source.classes

    @cached_property
    def stage(self) -> Stage:
        return "test" if (self.folder / "predictions.npz").exists() else "val"

    @property
    def stage_in_words(self) -> str:
        return "test" if self.stage == "test" else "validation"

    def set_of(self, stage: Stage) -> ImageSet:
        """The images of a stage, read when they are first asked for."""
        if stage not in self.data.sets:
            self.data.prepare_data()
            self.data.setup("test" if stage == "test" else "fit")
        return self.data.sets[stage]

    def images_at(self, stage: Stage, positions: Positions) -> Tensor:
        """Without augmentation, normalised: float32 [N, C, S, S]."""
        images = self.set_of(stage).images
        stacked = np.stack([fit_to(images[int(position)], self.data.image_size) for position in positions])
        return self.data.normalize(torch.from_numpy(stacked).permute(0, 3, 1, 2).to(self.device))

    def pixels(self, images: Tensor) -> NDArray[np.float32]:
        """What normalisation was done to, as one can look at it: [N, C, H, W] -> [N, H, W, C] in 0..1."""
        scale, shift = self.data.scale.to(images.device), self.data.shift.to(images.device)
        shown = ((images.float() - shift) / scale / 255).clamp(0, 1)
        pixels: NDArray[np.float32] = shown.permute(0, 2, 3, 1).detach().cpu().numpy()
        return pixels

    @cached_property
    def predictions(self) -> Predictions:
        """Of every image of the stage, from the run's file, or computed.

        Raises:
            UserError: the file is damaged, or of other images.
        """
        labels = self.set_of(self.stage).labels
        if self.stage == "val":
            index = np.arange(len(labels))
            parts = [self.probabilities(self.images_at("val", some)) for some in in_parts(index, 256)]
            return Predictions(index, labels, torch.cat(parts).cpu().numpy())
        file = self.folder / "predictions.npz"
        found = read_predictions(file)
        if found.index.max() >= len(labels) or (labels[found.index] != found.label).any():
            raise UserError(f"{file}: these are predictions for other images than datamodule={self.data_name} has now")
        return found

    @property
    def data_name(self) -> str:
        return str(self.config["datamodule"]["name"])

    @torch.no_grad()
    def probabilities(self, images: Tensor) -> Tensor:
        """Of each class [N, K]."""
        probabilities: Tensor = self.net(images).float().softmax(dim=1)
        return probabilities

    @cached_property
    def sample(self) -> Sample:
        """The first image of each class, then the second of each, until there are enough.

        Raises:
            UserError: there is none of the class that is asked for.
        """
        labels = self.set_of(self.stage).labels
        positions = in_turn(labels, self.label)[: self.count]
        if not len(positions):
            raise UserError(f"class={self.classes[self.label or 0]}: the {self.stage_in_words} set has no image of it")
        images = self.images_at(self.stage, positions)
        return Sample(images, torch.from_numpy(labels[positions]).to(self.device), self.probabilities(images))

    def fixed_batch(self, most: int = 64) -> tuple[Tensor, Tensor]:
        """The same validation images for every picture of what passes through the network, and their labels."""
        labels = self.set_of("val").labels
        positions = in_turn(labels)[:most]
        return self.images_at("val", positions), torch.from_numpy(labels[positions]).to(self.device)

    def initial(self) -> nn.Module:
        """The network as the run's seed draws it.

        Raises:
            NotForThisRun: it began with trained weights.
        """
        if self.config["model"]["weights"] is not None:
            raise NotForThisRun(f"it began with model.weights={self.config['model']['weights']}, not as its seed draws")
        return build_network(self.config).to(self.device)


def in_turn(labels: Labels, only: int | None = None) -> Positions:
    """Positions of all labels (or of one): the first of each class, the second of each class, ..."""
    rank = np.zeros(len(labels), np.int64)
    for label in np.unique(labels):
        rank[labels == label] = np.arange((labels == label).sum())
    order = np.lexsort((labels, rank))
    return order if only is None else order[labels[order] == only]


def in_parts(positions: Positions, size: int) -> list[Positions]:
    """So many at a time."""
    return [positions[start : start + size] for start in range(0, len(positions), size)]
