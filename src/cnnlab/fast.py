"""trainer.fast: which levers are safe and help, on this device and for this network."""

import logging

import torch
from torch import nn

from cnnlab import cost, ddp
from cnnlab.cell import AS_EVER
from cnnlab.levers import device_of
from cnnlab.run import Config

log = logging.getLogger(__name__)
OFF = {**AS_EVER, "precision": "32-true", "activation_checkpointing": False}
SMALL = 10e6  # FLOPs an image, below which casting to bf16 and back may take what it saves


def decided(config: Config, net: nn.Module, before: Config | None = None) -> Config:
    """The configuration with what trainer.fast turns on; levers that are pulled already stay so.

    before: what an earlier attempt decided, maybe on another machine; it is kept, as the same run goes on.
    """
    trainer, model = config["trainer"], config["model"]
    if not trainer["fast"]:
        return config
    if before is not None:
        said("trainer.fast goes on with", before, "as the run began")
        return {**config, "trainer": {**trainer, **before}}
    device = device_of(trainer)
    flops = cost.flops(net, model["in_channels"], model["image_size"])
    helpful, why = safe(device, has_bf16(device), flops, trainer["deterministic"])
    pulled = {key: value for key, value in helpful.items() if trainer[key] == OFF[key]}
    said("trainer.fast turns on", pulled, why)
    return {**config, "trainer": {**trainer, **pulled}}


def safe(device: torch.device, bf16: bool, flops: int, deterministic: bool) -> tuple[Config, str]:
    """The rule, and in words what it goes by.

    bf16: whether the device multiplies bf16 natively; where it does not, autocast made every network slower. Memory in
    the order of channels_last helps all networks together with bf16; with float32 on a CPU some, while VGG and AlexNet
    lose. Networks of few FLOPs an image are left as they are, as is what takes a minute to begin (trainer.compile).
    """
    searching = {"cudnn_benchmark": True} if device.type == "cuda" and not deterministic else {}
    where = "GPU" if device.type == "cuda" else device.type.upper()
    if device.type not in ("cuda", "cpu"):
        return {}, f"nothing was tried on {where}"
    if not bf16:
        return searching, f"this {where} has no bf16 of its own"
    if flops < SMALL:
        return searching, f"{flops / 1e6:.1f} MFLOPs an image are too few for bf16"
    return {"precision": "bf16-mixed", "channels_last": True, **searching}, f"this {where} has bf16 of its own"


def has_bf16(device: torch.device) -> bool:
    """Whether the device multiplies bf16 natively: a GPU from Ampere on, a CPU with AMX or AVX-512 bf16."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    queries = (torch.cpu._is_amx_tile_supported, torch.cpu._is_avx512_bf16_supported)
    return any(bool(query()) for query in queries)


def said(words: str, levers: Config, why: str) -> None:
    """In one line, once for all processes."""
    on = [f"{key}={str(value).lower()}" for key, value in levers.items() if value != OFF[key]]
    if ddp.cluster().global_rank() == 0:
        log.info("%s %s (%s)", words, ", ".join(on) or "nothing", why)
