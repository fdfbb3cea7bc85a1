"""Where and with what a result was made."""

import os
import platform
import socket
from importlib.metadata import version
from typing import Any

import torch

import cnnlab
from cnnlab.code import commit


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
