"""The LightningModule: a network, an objective, an optimizer, a schedule, and their scores."""

from collections.abc import Callable
from typing import Any

import torch
from lightning import LightningModule
from torch import Tensor, nn
from torch.optim import Optimizer

from cnnlab.errors import Diverged
from cnnlab.finetune import keep_frozen_norms
from cnnlab.losses import Objective, mean_cross_entropy
from cnnlab.metrics import Scores
from cnnlab.mixing import Mixing
from cnnlab.optim import add_l1

Batch = tuple[Tensor, Tensor, Tensor]
ADVICE = "A smaller optim.lr, scheduler.warmup_epochs, trainer.gradient_clip_val or a norm may help."


class Classifier(LightningModule):
    """Trains and judges one network.

    Batches are (images float32 [N, C, H, W], labels int64 [N], positions int64 [N]). Logged once an epoch, for each
    of train, val and test: loss (cross entropy without smoothing; of mixed images that of both labels, by their
    shares), accuracy, top5_accuracy and macro_f1; for train also objective and the epoch's first lr. `per_class` holds
    the last evaluation's scores of each class.

    Raises:
        Diverged: the loss of an epoch is not finite; callbacks look at those of steps.
    """

    def __init__(
        self,
        net: nn.Module,
        mixing: Mixing,
        objective: Objective,
        num_classes: int,
        optimizer: Callable[[nn.Module], Optimizer],
        schedule: Callable[[Optimizer, int, float], list[dict[str, Any]]],
        seed: int,
        memory_format: torch.memory_format,
    ) -> None:
        super().__init__()
        self.net = net.to(memory_format=memory_format)  # type: ignore[call-overload]  # torch's stubs lack it
        self.memory_format = memory_format
        self.mixing = mixing
        self.objective = objective
        self.train_scores = Scores(num_classes)
        self.val_scores = Scores(num_classes)
        self.test_scores = Scores(num_classes)
        self.make_optimizer = optimizer
        self.make_schedule = schedule
        self.seed = seed
        self.epochs_lr: float | None = None  # with which the epoch began
        self.steps_loss: Tensor | None = None  # over the batches of a step, until a callback takes it

    def forward(self, images: Tensor) -> Any:
        """Logits [N, K]; in training, of some networks, followed by auxiliary ones."""
        return self.net(images.contiguous(memory_format=self.memory_format))

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        # Dropout is a function of seed, step and process, not of what was computed before.
        seed = hash((self.seed, self.trainer.fit_loop.total_batch_idx, self.global_rank))
        torch.default_generator.manual_seed(seed)  # torch.manual_seed takes 1.6 ms: it notes where it was called from
        if self.device.type == "cuda":
            torch.cuda.manual_seed(seed)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        images, targets = self.mixing(*batch[:2])
        objective, cross_entropy, logits = self.objective(self(images), targets)
        self.train_scores.add_batch(logits, targets.main, cross_entropy, objective)
        loss: Tensor = objective
        self.steps_loss = loss.detach() if self.steps_loss is None else self.steps_loss + loss.detach()
        return loss

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        add_l1(optimizer)

    def on_train_epoch_start(self) -> None:
        keep_frozen_norms(self.net)
        if self.epochs_lr is None:
            self.epochs_lr = self.trainer.optimizers[0].param_groups[0]["lr"]

    def on_train_epoch_end(self) -> None:
        scores = self.train_scores.compute()
        self.train_scores.reset()
        del scores["per_class"]
        self.log_dict({f"train/{name}": value for name, value in scores.items()})
        assert self.epochs_lr is not None
        self.log("train/lr", self.epochs_lr)
        self.epochs_lr = None
        self._require_finite("train/objective", scores["objective"])

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self._judge(self.val_scores, batch)

    def on_validation_epoch_end(self) -> None:
        self._log_scores("val", self.val_scores)

    def test_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Class probabilities [N, K]."""
        return self._judge(self.test_scores, batch).float().softmax(dim=1)

    def on_test_epoch_end(self) -> None:
        self._log_scores("test", self.test_scores)

    def _judge(self, scores: Scores, batch: Batch) -> Tensor:
        images, labels, _ = batch
        logits: Tensor = self(images)
        if len(labels):  # a process may get nothing of a short last batch
            cross_entropy = mean_cross_entropy(logits, labels)
            scores.add_batch(logits, labels, cross_entropy, cross_entropy)
        return logits

    def _log_scores(self, stage: str, scores: Scores) -> None:
        values = scores.compute()
        scores.reset()
        del values["objective"]  # nothing is minimized here
        self.per_class = values.pop("per_class")
        self.log_dict({f"{stage}/{name}": value for name, value in values.items()})
        self._require_finite(f"{stage}/loss", values["loss"])

    def _require_finite(self, name: str, loss: Tensor) -> None:
        if not torch.isfinite(loss):
            raise Diverged(f"{name} is {loss.item()} in epoch {self.current_epoch + 1}. {ADVICE}")

    def configure_optimizers(self) -> Any:
        optimizer = self.make_optimizer(self.net)
        steps = int(self.trainer.estimated_stepping_batches)
        of_an_epoch = -(-int(self.trainer.num_training_batches) // self.trainer.accumulate_grad_batches)
        return [optimizer], self.make_schedule(optimizer, steps, steps / of_an_epoch)
