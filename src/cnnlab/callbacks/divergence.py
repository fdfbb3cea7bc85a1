"""What becomes of a run whose loss is no number any more: trainer.on_divergence=stop and skip_step."""

import logging
import math
from pathlib import Path
from typing import Any

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from torch import Tensor, nn
from torch.optim import Optimizer

from cnnlab.callbacks.agreement import anywhere
from cnnlab.checkpoint_parts import Mark
from cnnlab.classifier import ADVICE, Classifier
from cnnlab.errors import Diverged
from cnnlab.metrics import Scores

log = logging.getLogger(__name__)
GLANCE = 50  # steps between looks at the loss where each look would wait for a GPU
IN_A_ROW = 10  # steps that may be skipped one after another
TOLD = 5  # of the skipped steps, in the log


class Stops(Callback):
    """It ends as diverged: nothing that follows would train.

    folder: of the run's checkpoints. cell: their mark.
    """

    def __init__(self, folder: Path, cell: Mark) -> None:
        self.folder = folder
        self.cell = cell

    @property
    def count(self) -> dict[str, int]:
        """For result.json."""
        return {}

    def on_before_optimizer_step(self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer) -> None:
        loss = steps_loss(pl_module)
        if (loss.device.type == "cpu" or trainer.global_step % GLANCE == 0) and self.is_bad(trainer, loss):
            raise Diverged(described(trainer, loss, optimizer))

    def is_bad(self, trainer: Trainer, loss: Tensor) -> bool:
        """This process' own word: torch's agent ends the others."""
        return not math.isfinite(loss.item())

    def goes_back(self, trainer: Trainer, error: Diverged) -> bool:
        """Whether a run that ended like this is to go on from its newest checkpoint."""
        return False


class Skips(Stops):
    """Its step is not made: weights, their optimizer's state, running statistics and scores stay as they were before.

    The step counts, and the schedule goes on, so that a run has as many as others have. The processes agree. With a
    gradient scaler (16-mixed) only the loss is looked at: gradients that overflow are the scaler's affair.
    """

    def __init__(self, folder: Path, cell: Mark) -> None:
        super().__init__(folder, cell)
        self.skipped = 0
        self.in_epoch = 0
        self.in_a_row = 0
        self.before: list[tuple[Tensor, Tensor]] = []

    @property
    def count(self) -> dict[str, int]:
        """Of the whole run."""
        return {"skipped_steps": self.skipped}

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        if batch_idx % trainer.accumulate_grad_batches == 0:
            self.before = [(tensor, tensor.clone()) for tensor in _changed_by_a_batch(pl_module)]

    def on_before_optimizer_step(self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer) -> None:
        loss = steps_loss(pl_module)
        scaled = getattr(trainer.precision_plugin, "scaler", None) is not None
        if not self.is_bad(trainer, loss if scaled else loss + norm(optimizer)):
            self.in_a_row = 0
            return
        self.skipped, self.in_epoch, self.in_a_row = self.skipped + 1, self.in_epoch + 1, self.in_a_row + 1
        said = described(trainer, loss, optimizer)
        if self.in_a_row > IN_A_ROW:
            raise Diverged(f"more than {IN_A_ROW} steps in a row were skipped; in the last one {said}")
        if trainer.is_global_zero and self.skipped <= TOLD:
            more = "; further ones are only counted (train/skipped_steps)" if self.skipped == TOLD else ""
            log.warning("a step is skipped: %s%s", said.removesuffix(f". {ADVICE}"), more)
        for tensor, before in self.before:
            tensor.copy_(before)
        _scores(pl_module).waiting.clear()  # this step's, which `before` does not have
        for parameter in parameters(optimizer):
            parameter.grad = None  # which an optimizer passes over

    def is_bad(self, trainer: Trainer, loss: Tensor) -> bool:
        """In any process."""
        return anywhere(trainer, not math.isfinite(loss.item()))

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        pl_module.log("train/skipped_steps", float(self.in_epoch))
        self.in_epoch = 0

    def state_dict(self) -> dict[str, int]:
        """For a run that goes on."""
        return {"skipped": self.skipped, "in_epoch": self.in_epoch, "in_a_row": self.in_a_row}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """What state_dict gave."""
        self.skipped, self.in_epoch, self.in_a_row = (state_dict[name] for name in ("skipped", "in_epoch", "in_a_row"))


def steps_loss(pl_module: LightningModule) -> Tensor:
    """The sum over the batches of the step in work, which begins anew with that."""
    classifier: Classifier = pl_module  # type: ignore[assignment]
    loss, classifier.steps_loss = classifier.steps_loss, None
    assert loss is not None
    return loss


def described(trainer: Trainer, loss: Tensor, optimizer: Optimizer) -> str:
    """What is known of a step."""
    return (
        f"the training loss is {loss.item()} in epoch {trainer.current_epoch + 1}, step {trainer.global_step + 1} "
        f"(lr {optimizer.param_groups[0]['lr']:g}, gradient norm {float(norm(optimizer)):g}). {ADVICE}"
    )


def norm(optimizer: Optimizer) -> Tensor:
    """Of all gradients."""
    return nn.utils.get_total_norm([p.grad for p in parameters(optimizer) if p.grad is not None])


def parameters(optimizer: Optimizer) -> list[Tensor]:
    """Of all groups."""
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _changed_by_a_batch(pl_module: LightningModule) -> list[Tensor]:
    """Whatever a batch changes before a step is made: running statistics and scores."""
    classifier: Classifier = pl_module  # type: ignore[assignment]
    return [*classifier.net.buffers(), *_scores(pl_module).sums_here()]


def _scores(pl_module: LightningModule) -> Scores:
    classifier: Classifier = pl_module  # type: ignore[assignment]
    return classifier.train_scores
