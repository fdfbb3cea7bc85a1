"""When a run got how far, for those who measure it from outside."""

import json
import time
from pathlib import Path

from lightning import Callback, LightningModule, Trainer


class Clock(Callback):
    """A line of JSON when training begins, and one after each validation: the time (time.time) and the score.

    score: the name under which it is logged.
    """

    def __init__(self, file: str, score: str) -> None:
        self.file = Path(file)
        self.score = score

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._note(None)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.sanity_checking:
            self._note(float(trainer.callback_metrics[self.score]))

    def _note(self, score: float | None) -> None:
        with self.file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps({"time": time.time(), "score": score}) + "\n")
