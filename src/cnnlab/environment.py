"""Where and with what a result was made."""

import os
import platform
import socket
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

import cnnlab


def environment(device: torch.device) -> dict[str, Any]:
    """Versions, device, host, and the commit of the code if it runs from a checkout."""
    packages = {name: version(name) for name in ("torch", "lightning", "hydra-core", "torchmetrics", "numpy")}
    cuda = device.type == "cuda"
    return {
        "cnnlab": cnnlab.__version__,
        "python": platform.python_version(),
        **packages,
        "platform": platform.platform(),
        "device": torch.cuda.get_device_name(device) if cuda else platform.processor() or platform.machine(),
        "threads": torch.get_num_threads(),
        "cpus": os.cpu_count(),
        "host": socket.gethostname(),
        **commit(),
    }


def commit() -> dict[str, Any]:
    """{'commit', 'dirty'} of the checkout that this code lies in, or nothing where it was installed."""
    checkout = Path(__file__).parents[2]
    if not (checkout / ".git").exists():
        return {}

    def git(*arguments: str) -> str | None:
        try:
            ran = subprocess.run(["git", "-C", str(checkout), *arguments], capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):  # no git here, or no commit yet
            return None
        return ran.stdout.strip()

    return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain", "--", "src", "conf"))}
