"""A cell on another machine: tried as often as it takes, each attempt in processes of its own."""

import logging
import os
from dataclasses import replace

from cnnlab.errors import OutOfGpuMemory, UserError
from cnnlab.launch.cell import train_cell
from cnnlab.launch.child import Work, settle
from cnnlab.launch.memory import more_pieces
from cnnlab.launch.ranks import log_to

log = logging.getLogger(__name__)


def train_patiently(work: Work, max_attempts: int, start_method: str) -> None:
    """Trains a cell in child processes of this one, which computes nothing itself; its output goes to its folder.

    An attempt that fails is repeated from the last checkpoint; too little GPU memory is met with pieces of a batch.
    Runs on several nodes have one attempt: each node would decide by itself.

    start_method: of these children; 'fork' only where nothing has threads.

    Raises:
        Exception: what the last attempt raised.
    """
    os.environ.update(work.environment)
    settle(work)
    os.environ["OMP_NUM_THREADS"] = str(work.threads)  # torch reads it when it is imported
    log_to(work.folder)
    if start_method == "fork":
        import cnnlab.train  # noqa: F401  # once, before the children are forked

    alone = work.config["trainer"]["num_nodes"] == 1
    attempt = 1
    while True:
        try:
            train_cell(
                *(work.config, work.folder, work.overrides, start_method),
                again=work.again,
                in_child=True,
                pieces=work.pieces,
            )
        except OutOfGpuMemory:
            pieces = more_pieces(work.config, work.pieces)
            if not (alone and pieces):
                raise
            log.warning("too little GPU memory; again with trainer.micro_batches=%s", pieces)
            work = replace(work, again=True, pieces=pieces)
        except UserError:
            raise
        except Exception as error:
            if not alone or attempt >= max_attempts:
                raise
            attempt += 1
            log.warning("%s; attempt %s", error, attempt)
            work = replace(work, again=True)
        else:
            return
