"""The tables around a run: the network before it, the scores after it."""

from typing import Any

from rich.table import Table
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from cnnlab import cost
from cnnlab.models.meta import forward_on_meta
from cnnlab.models.parts.branches import Branches
from cnnlab.models.parts.logits import Logits, LogitsMap
from cnnlab.models.stages import stages

COLUMNS = ("loss", "accuracy", "top5_accuracy", "macro_f1")


def network_table(net: nn.Module, title: str, in_channels: int, image_size: int) -> Table:
    """Stage by stage: output shape, parameters, FLOPs of one image. Like neighbours with like output share a row."""
    rows: list[tuple[str, str, int, int]] = []
    flops_before = 0
    counter = FlopCounterMode(display=False)

    def after(module: nn.Module, _: Any, output: Tensor) -> None:
        nonlocal flops_before
        flops = counter.get_total_flops()
        shape = "x".join(str(n) for n in output.shape[1:])
        rows.append((_described(module), shape, cost.parameters(module), flops - flops_before))
        flops_before = flops
        idle.remove(module)

    idle = stages(net)
    hooks = [stage.register_forward_hook(after) for stage in idle]
    try:
        with counter:
            forward_on_meta(net, in_channels, image_size)
    finally:
        for hook in hooks:
            hook.remove()
    heads = sum(cost.parameters(stage) for stage in idle)
    if heads:
        rows.append(("auxiliary heads, in training only", "", heads, 0))

    table = Table(title=title, title_justify="left", title_style="bold", show_footer=True)
    table.add_column("stage", "total")
    table.add_column("output", justify="right")
    table.add_column("parameters", f"{cost.parameters(net):,}", justify="right")
    table.add_column("FLOPs an image", f"{counter.get_total_flops():,}", justify="right")
    for name, shape, parameters, flops in _merged(rows):
        table.add_row(name, shape, f"{parameters:,}", f"{flops:,}")
    return table


def _described(stage: nn.Module) -> str:
    """Conv2d 5x5, ReLU: what a stage is made of, or its class if it has a name of its own.

    Of branches only the kernels and poolings: [1x1 | 1x1 3x3 | MaxPool2d 1x1].
    """
    if isinstance(stage, Branches):
        return f"[{' | '.join(' '.join(_kernels(path)) for path in stage)}]"
    if isinstance(stage, nn.Sequential):
        return ", ".join(_described(part) for part in stage)
    kind = next(kind for kind in type(stage).__mro__ if kind not in (Logits, LogitsMap))
    size = f" {stage.kernel_size[0]}x{stage.kernel_size[1]}" if isinstance(stage, nn.Conv2d) else ""
    return kind.__name__ + size


def _kernels(path: nn.Module) -> list[str]:
    if isinstance(path, Branches):
        return [_described(path)]
    if isinstance(path, nn.Conv2d):
        return [_described(path).removeprefix("Conv2d ")]
    if isinstance(path, nn.MaxPool2d | nn.AvgPool2d):
        return [_described(path)]
    return [word for part in path.children() for word in _kernels(part)]


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
    table = Table(
        title=f"epoch {metrics['epoch'] + 1:.0f}, the best by val/accuracy", title_justify="left", title_style="bold"
    )
    table.add_column("")
    for column in COLUMNS:
        table.add_column(column.replace("_", " "), justify="right")
    for stage in ("train", "val", "test") if "test/loss" in metrics else ("train", "val"):
        loss, *shares = [metrics[f"{stage}/{column}"] for column in COLUMNS]
        texts = [f"{loss:.4f}", *(f"{share:.2%}" for share in shares)]
        table.add_row(stage, *texts, style="bold" if stage == "test" else None)
    return table
