"""What training takes from the socket, where the machine can tell: RAPL of Intel and AMD processors, NVML of GPUs.

Counters are of whole processors and devices: of several cells at once each is told what all of them took.
"""

from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

Counters = dict[str, tuple[float, float]]  # of each device: joules, and where it begins anew (0: never)
POWERCAP = Path("/sys/class/powercap")  # readable by root only on most systems


def counters(device: torch.device) -> Counters:
    """Of each processor, and of the GPU in use; empty where none can be read."""
    return {**_processors(), **(_gpu(device) if device.type == "cuda" else {})}


def joules(before: Counters, after: Counters) -> float | None:
    """Between two readings; None if there is nothing to read."""
    both = before.keys() & after.keys()
    if not both:
        return None
    total = 0.0
    for name in both:
        spent, span = after[name][0] - before[name][0], after[name][1]
        total += spent + span if spent < 0 else spent
    return total


def _processors() -> Counters:
    """Of each package, its memory included where the processor counts it there."""
    found = {}
    for zone in sorted(POWERCAP.glob("intel-rapl:[0-9]")):
        with suppress(OSError, ValueError):  # not everyone may
            values = [int((zone / name).read_text()) / 1e6 for name in ("energy_uj", "max_energy_range_uj")]
            found[zone.name] = (values[0], values[1])
    return found


def _gpu(device: torch.device) -> Counters:
    try:
        import pynvml
    except ImportError:
        return {}
    uuid = str(torch.cuda.get_device_properties(device).uuid)
    try:
        pynvml.nvmlInit()
        handle: Any = pynvml.nvmlDeviceGetHandleByUUID(uuid if uuid.startswith("GPU-") else f"GPU-{uuid}")
        return {uuid: (pynvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1e3, 0.0)}
    except pynvml.NVMLError:  # older than Volta, or a slice of a GPU
        return {}
