"""predictions.npz: what the tested network says of every test image."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning import Callback, LightningModule, Trainer
from torch import Tensor

from cnnlab.atomic import whole


class Predictions(Callback):
    """Writes index [N], label [N] and probabilities [N, K] (float32), in the order of the test set, from rank 0."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.parts: list[tuple[Tensor, Tensor, Tensor]] = []

    def on_test_batch_end(self, trainer: Trainer, module: LightningModule, outputs: Any, batch: Any, *_: Any) -> None:
        _, labels, positions = batch
        self.parts.append((positions.cpu(), labels.cpu(), outputs.cpu()))

    def on_test_end(self, trainer: Trainer, module: LightningModule) -> None:
        mine = [torch.cat(column).numpy() for column in zip(*self.parts, strict=True)]
        self.parts.clear()
        everyone: list[Any] = [mine]
        if trainer.world_size > 1:
            everyone = [None] * trainer.world_size
            torch.distributed.all_gather_object(everyone, mine)
        if trainer.is_global_zero:
            index, label, probabilities = (np.concatenate(column) for column in zip(*everyone, strict=True))
            order = np.argsort(index)
            if not np.array_equal(index[order], np.arange(len(index))):
                raise RuntimeError(f"{len(index)} predictions are not one for each test image")
            with whole(self.file) as partial:
                np.savez(partial, index=index[order], label=label[order], probabilities=probabilities[order])
