"""Weights & Biases: one run per cell, offline without a key or a network. It never keeps a run from training."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger, WandbLogger
from torch import nn

from cnnlab.loggers.csv import Curves
from cnnlab.loggers.unfailing import Unfailing, counted, ending, scores, unusable
from cnnlab.loggers.wandb_begin import begin, prepare
from cnnlab.run import Config, Run


class CellRun(Unfailing, WandbLogger):
    """Lightning's, for a run that was begun already."""

    def __init__(self, run: Any, folder: Path, log_model: bool, watch: str | None, watch_freq: int) -> None:
        # nothing changes best.ckpt any more when it is logged, so that it need not be copied
        super().__init__(experiment=run, save_dir=folder, log_model=log_model, add_file_policy="immutable")
        self.run = run
        self.folder = folder
        self.watched = watch
        self.watch_freq = watch_freq

    def log_graph(self, model: nn.Module, *_: Any) -> None:
        """Lightning calls it once, before it trains; the network's forward is called, the module's own is not."""
        if self.watched:
            self.attempt(self._hook_into, model.get_submodule("net"))

    def _hook_into(self, net: nn.Module) -> None:
        self.run._log = self._guarded(self.run._log)  # which the hooks call in the middle of backward
        self.watch(net, log=self.watched, log_freq=self.watch_freq, log_graph=False)

    def _guarded(self, write: Callable[..., None]) -> Callable[..., None]:
        def guarded(*args: Any, **kwargs: Any) -> None:
            self.attempt(lambda: write(*args, **kwargs))

        return guarded

    def finalize(self, status: str = "success") -> None:
        """Lightning calls it when training is done; forward passes on other devices would not please the hooks."""
        super().finalize(status)
        if self.watched:
            self.attempt(self.run.unwatch)

    def finish(self, exit_code: int, summary: dict[str, Any]) -> None:
        """Ends the run, with these values in its summary."""
        self.attempt(self.run.summary.update, summary, last=True)
        self.attempt(lambda: self.run.finish(exit_code=exit_code), last=True)


@contextmanager
def create(
    folder: Path,
    config: Config,
    curves: Curves,
    project: str,
    entity: str | None,
    group: str,
    tags: list[str],
    offline: bool,
    watch: str | None,
    watch_freq: int,
    log_model: bool,
    log_code: bool,
    finish_timeout: float,
) -> Iterator[Logger]:
    """A W&B run in <folder>/wandb, finished whatever happens: as failed if the block raises."""
    about = {"project": project, "entity": entity, "group": group, "tags": tags}
    try:
        run = begin(folder, config, curves.goes_on, offline, finish_timeout, **about)
    except Exception as error:  # whatever W&B may raise, a training is worth more than its dashboard
        yield unusable(folder, "W&B", error)
        return
    logger = CellRun(run, folder, log_model, watch, watch_freq)
    logger.attempt(prepare, run, curves, log_code)
    try:
        yield logger
    except BaseException as error:
        logger.finish(*ending(error))
        raise
    last = {name: value for name, value in counted(curves.rows[max(curves.rows)]).items() if name != "step"}
    logger.finish(0, {**last, **scores(Run(folder).result(), curves), "state": "done"})
