"""What Hydra runs for a single run."""

from pathlib import Path
from typing import Any


class Task:
    """Keeps its error for the caller: Hydra would print it in its own way."""

    def __init__(self, errors: list[Exception]) -> None:
        self.errors = errors

    def __call__(self, cfg: Any) -> float | None:
        from hydra.core.hydra_config import HydraConfig

        from cnnlab.single import train_and_show

        try:
            hydra = HydraConfig.get()
            return train_and_show(cfg, Path(hydra.runtime.output_dir), list(hydra.overrides.task))
        except Exception as error:
            self.errors.append(error)
            return None
