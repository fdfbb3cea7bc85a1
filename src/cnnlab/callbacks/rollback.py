"""What becomes of a run whose loss is no number any more: trainer.on_divergence=rollback."""

import logging
import math
from pathlib import Path
from typing import Any

from lightning import LightningModule, Trainer
from torch import Tensor

from cnnlab import checkpoints
from cnnlab.callbacks.agreement import anywhere
from cnnlab.callbacks.divergence import Stops
from cnnlab.checkpoint_parts import Mark
from cnnlab.errors import Diverged

log = logging.getLogger(__name__)
TIMES = 3  # that a run goes back
OF_GROUPS = ("lr", "initial_lr", "max_lr", "min_lr")  # what optimizers and schedules remember of learning rates
OF_SCHEDULES = ("base_lrs", "_last_lr")


class RollsBack(Stops):
    """It goes on from the last checkpoint before, with half the learning rate; so often at most.

    Both are written into the checkpoint, so that a run that is killed knows of it. A run has one before its first step.
    """

    def __init__(self, folder: Path, cell: Mark) -> None:
        super().__init__(folder, cell)
        self.times = 0

    @property
    def state_key(self) -> str:
        return "rollbacks"

    @property
    def count(self) -> dict[str, int]:
        """Of the whole run."""
        return {"rollbacks": self.times}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.ckpt_path is None:
            trainer.save_checkpoint(self.folder / checkpoints.LAST)

    def is_bad(self, trainer: Trainer, loss: Tensor) -> bool:
        """In any process."""
        return anywhere(trainer, not math.isfinite(loss.item()))

    def goes_back(self, trainer: Trainer, error: Diverged) -> bool:
        """Writes what to go on from; each process calls it.

        Raises:
            Diverged: it has gone back too often, or can go nowhere from which it would come to another end.
        """
        if self.times == TIMES:
            raise Diverged(f"{error} It went back {TIMES} times before, with half the learning rate each time.")
        trainer.strategy.barrier()  # whoever comes late would read what is written below
        again = checkpoints.begin(self.folder, before=trainer.global_step, cell=self.cell)
        trainer.strategy.barrier()
        if again is None:
            raise Diverged(f"{error} There is no checkpoint of before that step to go back to.")
        if trainer.is_global_zero:
            log.warning("%s Going back, with half the learning rate (%s of %s times)", error, self.times + 1, TIMES)
            saved = checkpoints.WholeFiles().load_checkpoint(again.file)
            halve(saved)
            saved["callbacks"][self.state_key]["times"] = self.times + 1
            checkpoints.WholeFiles().save_checkpoint(saved, self.folder / checkpoints.LAST)
        trainer.strategy.barrier()
        return True

    def state_dict(self) -> dict[str, int]:
        """For a run that goes on."""
        return {"times": self.times}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """What state_dict gave."""
        self.times = state_dict["times"]


def halve(checkpoint: dict[str, Any]) -> None:
    """The learning rate, wherever a checkpoint has it."""
    groups = [group for optimizer in checkpoint["optimizer_states"] for group in optimizer["param_groups"]]
    for group in groups:
        group.update({key: group[key] / 2 for key in OF_GROUPS if key in group})
    for schedule in checkpoint["lr_schedulers"]:
        schedule.update({key: [lr / 2 for lr in schedule[key]] for key in OF_SCHEDULES if key in schedule})
