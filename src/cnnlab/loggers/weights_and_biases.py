"""Weights & Biases: one run per cell, offline where there is no key or no network."""

import logging
import netrc
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lightning.pytorch.loggers import WandbLogger

log = logging.getLogger(__name__)
PATIENCE = 5.0  # seconds to wait for the server


@contextmanager
def create(
    folder: Path, config: dict[str, Any], project: str, entity: str | None, group: str, tags: list[str], offline: bool
) -> Iterator[WandbLogger]:
    """A W&B run with the whole configuration, in <folder>/wandb; finished, as failed if the block raises."""
    reason = "asked for" if offline else why_offline()
    if reason:
        log.info("W&B is offline (%s). Later: wandb sync %s", reason, folder / "wandb" / "offline-run-*")
    logger = WandbLogger(
        name=folder.name,
        save_dir=folder,
        project=project,
        entity=entity,
        group=group,
        tags=tags,
        job_type="train",
        config=config,
        mode="offline" if reason else "online",  # Lightning's offline=True would set WANDB_MODE for all later runs
    )
    exit_code = 1
    try:
        yield logger
        exit_code = 0
    finally:
        if hasattr(logger.experiment, "finish"):  # on ranks other than 0 Lightning gives a dummy
            logger.experiment.finish(exit_code=exit_code)


def why_offline() -> str | None:
    """What keeps W&B from being used online, in words, or None."""
    if (mode := os.environ.get("WANDB_MODE", "online")) != "online":
        return f"WANDB_MODE={mode}"
    server = urlsplit(os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai"))
    host = server.hostname or ""
    if not os.environ.get("WANDB_API_KEY") and not _in_netrc(host):
        return "no key: wandb login"
    try:
        socket.create_connection((host, server.port or (443 if server.scheme == "https" else 80)), PATIENCE).close()
    except OSError as error:
        return f"no connection to {host}: {error}"
    return None


def _in_netrc(host: str) -> bool:
    """Whether `wandb login` has left a key."""
    try:
        return netrc.netrc(os.environ.get("NETRC")).authenticators(host) is not None
    except (OSError, netrc.NetrcParseError):
        return False
