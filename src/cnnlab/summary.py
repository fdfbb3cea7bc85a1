"""The tables around a run: the network before it, the scores after it."""

from typing import Any

import torch
from rich.table import Table
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils.flop_counter import FlopCounterMode

from cnnlab import cost

COLUMNS = ("loss", "accuracy", "top5_accuracy", "macro_f1")


def network_table(net: nn.Module, title: str, in_channels: int, image_size: int) -> Table:
    """Stage by stage: output shape, parameters, FLOPs of one image. Like neighbours with like output share a row."""
    rows: list[tuple[str, str, int, int]] = []
    flops_before = 0
    counter = FlopCounterMode(display=False)

    def after(module: nn.Module, _: Any, output: Tensor) -> None:
        nonlocal flops_before
        flops = counter.get_total_flops()
        name, shape = type(module).__name__, "x".join(str(n) for n in output.shape[1:])
        rows.append((name, shape, cost.parameters(module), flops - flops_before))
        flops_before = flops

    stages = [stage for part in net.children() for stage in (part.children() if isinstance(part, nn.Sequential) else [part])]
    hooks = [stage.register_forward_hook(after) for stage in stages]
    meta = {name: t.to("meta") for name, t in [*net.named_parameters(), *net.named_buffers()]}
    training = net.training
    try:
        with counter, torch.no_grad():
            functional_call(net.eval(), meta, torch.empty(1, in_channels, image_size, image_size, device="meta"))
    finally:
        net.train(training)
        for hook in hooks:
            hook.remove()

    table = Table(title=title, title_justify="left", title_style="bold", show_footer=True)
    table.add_column("stage", "total")
    table.add_column("output", justify="right")
    table.add_column("parameters", f"{cost.parameters(net):,}", justify="right")
    table.add_column("FLOPs an image", f"{counter.get_total_flops():,}", justify="right")
    for name, shape, parameters, flops in _merged(rows):
        table.add_row(name, shape, f"{parameters:,}", f"{flops:,}")
    return table


def _merged(rows: list[tuple[str, str, int, int]]) -> list[tuple[str, str, int, int]]:
    merged: list[tuple[str, str, int, int, int]] = []
    for name, shape, parameters, flops in rows:
        if merged and merged[-1][:2] == (name, shape):
            _, _, more, work, count = merged.pop()
            merged.append((name, shape, more + parameters, work + flops, count + 1))
        else:
            merged.append((name, shape, parameters, flops, 1))
    return [(f"{count} x {name}" if count > 1 else name, *rest) for name, *rest, count in merged]  # type: ignore[misc]


def result_table(result: dict[str, Any]) -> Table:
    """Rows train, val, test; the first two at the epoch whose weights are tested."""
    metrics = result["metrics"]
    table = Table(title=f"best epoch {metrics['epoch']}", title_justify="left", title_style="bold")
    table.add_column("")
    for column in COLUMNS:
        table.add_column(column.replace("_", " "), justify="right")
    for stage in ("train", "val", "test"):
        values = [metrics[f"{stage}/{column}"] for column in COLUMNS]
        texts = [f"{value:.4f}" if column == "loss" else f"{value:.2%}" for column, value in zip(COLUMNS, values, strict=True)]
        table.add_row(stage, *texts, style="bold" if stage == "test" else None)
    return table
