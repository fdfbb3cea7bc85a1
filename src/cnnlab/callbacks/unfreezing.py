"""Gradual unfreezing: from the output layer backwards, a few stages more each epoch."""

import logging
from typing import Any

from lightning import Callback, LightningModule, Trainer
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from cnnlab.errors import UserError
from cnnlab.models.stages import stages

log = logging.getLogger(__name__)


class GradualUnfreezing(Callback):
    """Trains the last stages first (Howard, Ruder: Universal language model fine-tuning, 2018, section 3.3).

    Frozen weights keep requires_grad, so that DDP knows them from the start; their gradients are thrown away before
    the optimizer sees them, and their norms stay in evaluation.

    stages_per_epoch: how many stages with weights join at the beginning of each epoch.

    Raises:
        UserError: it is not a whole number of at least 1.
    """

    def __init__(self, stages_per_epoch: int) -> None:
        if not isinstance(stages_per_epoch, int) or stages_per_epoch < 1:
            raise UserError(
                f"callbacks.gradual_unfreezing.stages_per_epoch={stages_per_epoch}: it must be a whole number from 1 on"
            )
        self.stages_per_epoch = stages_per_epoch
        self.frozen: list[nn.Parameter] = []

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        many = len(self._with_weights(pl_module))
        never = max(0, many - self.stages_per_epoch * (trainer.max_epochs or 1))
        what = f"the first {never} of {many} stages" if never else "none"
        if trainer.is_global_zero:
            log.info(
                "gradual unfreezing: %s stages more each epoch, so that %s never train", self.stages_per_epoch, what
            )

    @staticmethod
    def _with_weights(module: LightningModule) -> list[nn.Module]:
        net: nn.Module = module.net  # type: ignore[assignment]
        return [stage for stage in stages(net) if next(stage.parameters(), None) is not None]

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        with_weights = self._with_weights(pl_module)
        trained = self.stages_per_epoch * (trainer.current_epoch + 1)
        still = with_weights[: max(0, len(with_weights) - trained)]
        self.frozen = [parameter for stage in still for parameter in stage.parameters()]
        pl_module.train()
        for stage in still:
            for module in stage.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()

    def on_before_optimizer_step(self, *_: Any) -> None:
        for parameter in self.frozen:
            parameter.grad = None
