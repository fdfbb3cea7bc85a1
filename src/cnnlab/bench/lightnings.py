"""What one trains with Lightning alone, and in the habits of the usual Lightning + Hydra templates."""

from typing import Any

import torch
import torch.nn.functional as F
from lightning import LightningModule
from torch import Tensor, nn
from torchmetrics import MaxMetric, MeanMetric
from torchmetrics.classification import MulticlassAccuracy

Batch = tuple[Tensor, ...]  # images, labels; whatever follows is not looked at


class Plain(LightningModule):
    """A network and cross entropy: nothing is logged."""

    def __init__(self, net: nn.Module, optimizer: Any) -> None:
        super().__init__()
        self.net = net
        self.make_optimizer = optimizer

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        return F.cross_entropy(self.net(batch[0]), batch[1])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        made: torch.optim.Optimizer = self.make_optimizer(self.net.parameters())
        return made


class Habits(Plain):
    """Loss and accuracy are metrics whose forward is called each step, and are logged there for the progress bar."""

    def __init__(self, net: nn.Module, optimizer: Any, num_classes: int) -> None:
        super().__init__(net, optimizer)
        self.train_loss, self.val_loss, self.test_loss = MeanMetric(), MeanMetric(), MeanMetric()
        self.train_acc, self.val_acc, self.test_acc = (MulticlassAccuracy(num_classes) for _ in range(3))
        self.val_acc_best = MaxMetric()

    def model_step(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Loss, predictions, labels."""
        logits = self.net(batch[0])
        return F.cross_entropy(logits, batch[1]), logits.argmax(dim=1), batch[1]

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        loss, predictions, labels = self.model_step(batch)
        self.train_loss(loss)
        self.train_acc(predictions, labels)
        self.log("train/loss", self.train_loss, on_step=False, on_epoch=True, prog_bar=True)
        self.log("train/acc", self.train_acc, on_step=False, on_epoch=True, prog_bar=True)
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        loss, predictions, labels = self.model_step(batch)
        self.val_loss(loss)
        self.val_acc(predictions, labels)
        self.log("val/loss", self.val_loss, on_step=False, on_epoch=True, prog_bar=True)
        self.log("val/acc", self.val_acc, on_step=False, on_epoch=True, prog_bar=True)

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        loss, predictions, labels = self.model_step(batch)
        self.test_loss(loss)
        self.test_acc(predictions, labels)
        self.log("test/loss", self.test_loss, on_step=False, on_epoch=True, prog_bar=True)
        self.log("test/acc", self.test_acc, on_step=False, on_epoch=True, prog_bar=True)

    def on_validation_epoch_end(self) -> None:
        self.val_acc_best(self.val_acc.compute())
        self.log("val/acc_best", self.val_acc_best.compute(), sync_dist=True, prog_bar=True)
