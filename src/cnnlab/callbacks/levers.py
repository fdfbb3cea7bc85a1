"""Which levers a run was trained with, kept in its checkpoints."""

from typing import Any

from lightning import Callback

from cnnlab.run import Config


class Levers(Callback):
    """For whoever goes on, or tests again: what trainer.fast has decided holds for the whole run."""

    state_key = "levers"

    def __init__(self, on: Config) -> None:
        self.on = on

    def state_dict(self) -> dict[str, Any]:
        """Keys of trainer.* with their values."""
        return dict(self.on)
