"""Stages of networks in a few words: 'conv 3x3', 'residual 3x3 3x3', 'inception 1x1 | 1x1 3x3'."""

from torch import nn

from cnnlab.models.parts.logits import Logits, LogitsMap

KINDS = {
    "Block": "residual",
    "PreactivatedBlock": "residual",
    "Branches": "inception",
    "Flatten": "flatten",
    "LocalResponseNorm": "local response norm",
}


def in_words(stage: nn.Module, inside: bool = False) -> str:
    """What it is, as papers' tables say it. inside: with the kernels of what has several convolutions."""
    layers = [module for module in stage.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    if isinstance(stage, Logits | LogitsMap):
        return "output"
    if isinstance(stage, nn.MaxPool2d | nn.AvgPool2d):
        kind = "max" if isinstance(stage, nn.MaxPool2d) else "average"
        return f"{kind} pool {size(stage.kernel_size)}"
    if isinstance(stage, nn.AdaptiveAvgPool2d):
        return "global average" if stage.output_size == 1 else f"average to {size(stage.output_size)}"
    if isinstance(stage, nn.Dropout | nn.Dropout2d):
        return f"dropout {stage.p:g}"
    if type(stage) is nn.Sequential and len(layers) == 1:
        only = layers[0]
        return f"conv {size(only.kernel_size)}" if isinstance(only, nn.Conv2d) else "hidden"
    name = type(stage).__name__
    kind = KINDS.get(name, name)
    return f"{kind} {kernels(stage)}".strip() if layers and inside else kind


def kernels(stage: nn.Module) -> str:
    """Of its convolutions, in order; branches are divided by bars, and what is longer than a line is left out."""
    branches = [*stage] if isinstance(stage, nn.ModuleList) else [stage]
    words = [
        " ".join(size(module.kernel_size) for module in branch.modules() if isinstance(module, nn.Conv2d))
        for branch in branches
    ]
    told = " | ".join(words)
    return told if len(told) <= 34 else f"of {sum(len(word.split()) for word in words)} convolutions"


def size(kernel: object) -> str:
    """3 or (3, 3) -> '3x3'."""
    height, width = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    return f"{height}x{width}"
