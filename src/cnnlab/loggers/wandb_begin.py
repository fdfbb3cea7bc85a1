"""How a W&B run begins: online if that works within seconds, else offline."""

import logging
import os
import threading
from pathlib import Path
from typing import Any

import wandb

from cnnlab.loggers.csv import Curves
from cnnlab.loggers.flat import dotted
from cnnlab.loggers.unfailing import counted
from cnnlab.loggers.wandb_identity import job_type, labels, run_id, typed
from cnnlab.loggers.wandb_server import mode, why_offline
from cnnlab.run import Config

log = logging.getLogger(__name__)
PATIENCE = 5.0  # seconds that W&B has to begin a run, once its server has answered
STEP = "trainer/global_step"  # Lightning's name


def begin(folder: Path, config: Config, goes_on: bool, offline: bool, finish_timeout: float, **about: Any) -> Any:
    """A run that says all that is known of the cell before it trains.

    goes_on: from an attempt before, in the same run; else what that has sent is replaced.
    """
    about["tags"] = list(dict.fromkeys([*typed(config), *about["tags"]]))
    about |= {"id": run_id(folder, config), "name": folder.name, "job_type": job_type(folder)}
    about |= {"dir": folder, "config": {**labels(config), **dict(dotted(config))}}
    if not offline and mode() != "disabled" and wandb.setup().settings.sweep_id:  # an agent has said it
        about = {key: value for key, value in about.items() if key not in ("id", "project", "entity")}
    return started("logger.wandb.offline=true" if offline else None, goes_on, finish_timeout, **about)


def started(offline: str | None, goes_on: bool, finish_timeout: float, **about: Any) -> Any:
    """A run, online if nothing speaks against it. offline: what does; where it is None, what can be found out."""
    if mode() == "disabled":
        return wandb.init(mode="disabled")
    reason = offline or why_offline()
    if reason is None:
        # W&B would ask twice, for five seconds each, who we are, to print it
        wandb.setup(wandb.Settings(x_disable_viewer=True))
        limits = wandb.Settings(init_timeout=PATIENCE, finish_timeout=finish_timeout)
        try:
            return wandb.init(mode="online", resume="allow" if goes_on else None, settings=limits, **about)
        except Exception as error:  # of many kinds; all mean the same here
            reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            forget()
    run = wandb.init(mode="offline", settings=wandb.Settings(silent=True), **about)
    log.info("W&B is offline (%s). Later: wandb sync %s", reason, os.path.relpath(run.settings.sync_dir))
    return run


def forget() -> None:
    """Leaves W&B's service alone with a run that could not begin, for which it may wait for long; a new one starts."""
    ending = threading.Thread(target=wandb.teardown, daemon=True)
    ending.start()
    ending.join(1)


def prepare(run: Any, curves: Curves, log_code: bool) -> None:
    """Defines axes, and tells of the epochs that attempts before had and W&B has not heard of.

    An offline run knows none of them, so that each of a run's files has the whole curve.
    """
    run.define_metric("epoch")
    run.define_metric(STEP)
    for stage in ("train", "val", "test"):
        run.define_metric(f"{stage}/*", step_metric="epoch")
    for kind in ("gradients", "parameters"):
        run.define_metric(f"{kind}/*", step_metric=STEP)
    known = run.summary.get("epoch", 0) if run.resumed else 0
    for _, row in sorted(curves.rows.items()):
        if (told := counted(row))["epoch"] > known:
            run.log({STEP if name == "step" else name: value for name, value in told.items()})
    if log_code:
        run.log_code(".", exclude_fn=_is_foreign)


def _is_foreign(path: str, root: str) -> bool:
    """.venv and its like."""
    return any(part.startswith(".") or part == "site-packages" for part in Path(path).relative_to(root).parts)
