"""All processes of a run train the same."""

from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer

from cnnlab.data.datamodule import ImageData
from cnnlab.errors import UserError


class Agreement(Callback):
    """Before the first step, compares what each process is about to do: started by hand, they may differ.

    what: the configuration's identity and whatever else must be the same.

    Raises:
        UserError: there are not as many processes as configured, or they differ; it says in what.
    """

    def __init__(self, what: dict[str, Any]) -> None:
        self.what = what

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if stage != "fit" or trainer.world_size == 1:
            return
        live = torch.distributed.get_world_size()
        if live != trainer.world_size:
            raise UserError(f"{live} processes are there, not {trainer.world_size}")
        data: ImageData = trainer.datamodule  # type: ignore[attr-defined]
        mine = {**self.what, "training images": len(data.sets["train"])}
        everyones: list[Any] = [None] * live
        torch.distributed.all_gather_object(everyones, mine)
        for what in mine:
            values = {rank: theirs[what] for rank, theirs in enumerate(everyones)}
            if len(set(values.values())) > 1:
                told = ", ".join(f"rank {rank}: {value}" for rank, value in values.items())
                raise UserError(
                    f"the processes of this run differ in their {what} ({told}). Start all of them with the same "
                    "command, study= included, the same code and the same data"
                )


def anywhere(trainer: Trainer, here: bool) -> bool:
    """Whether it is so in any of the run's processes, which all ask at the same step."""
    if trainer.world_size == 1:
        return here
    told = torch.tensor(float(here), device=trainer.strategy.root_device)
    torch.distributed.all_reduce(told, torch.distributed.ReduceOp.MAX)
    return bool(told)
