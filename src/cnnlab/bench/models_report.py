"""What `cnnlab bench models` prints and writes. Columns are named as in timm's tables of benchmarks."""

import csv
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from cnnlab.atomic import whole, write_json, write_text
from cnnlab.bench.models_chart import chart
from cnnlab.run import Config

WIDE = 160  # columns, where there is no terminal that has a width
OF_A_STEP = 3  # forward passes: what a training step computes, as backward is twice forward
Row = dict[str, Any]
# column of the file: column of the table, and how it is written there
SHOWN = {
    "train_samples_per_sec": ("train img/s", "{:,.1f}"),
    "infer_samples_per_sec": ("infer img/s", "{:,.1f}"),
    "train_gflops_per_sec": ("train GFLOP/s", "{:,.1f}"),
    "train_peak_share": ("of peak", "{:.0%}"),
    "infer_gflops_per_sec": ("infer GFLOP/s", "{:,.1f}"),
    "infer_peak_share": ("of peak", "{:.0%}"),
    "train_peak_memory_mib": ("train MiB", "{:,.0f}"),
    "infer_peak_memory_mib": ("infer MiB", "{:,.0f}"),
    "param_count": ("params M", "{:,.2f}"),
    "infer_gmacs": ("GMACs", "{:,.3f}"),
}


def row_of(name: str, turn: Row, config: Config, peak: float) -> Row:
    """A network's line: with timm's columns, times in milliseconds, parameters in millions; then ours."""
    if "error" in turn:
        return {"model": name, "error": turn["error"]}
    data, row = config["datamodule"], {"model": name}
    for stage, passes in (("infer", 1), ("train", OF_A_STEP)):
        step = turn[f"{stage}_step_seconds"]
        a_second = passes * turn["flops"] * data["batch_size"] / step
        row |= {
            f"{stage}_samples_per_sec": round(data["batch_size"] / step, 2),
            f"{stage}_step_time": round(1000 * step, 3),
            f"{stage}_batch_size": data["batch_size"],
            f"{stage}_img_size": data["image_size"],
            f"{stage}_steps": turn[f"{stage}_steps"],
            f"{stage}_peak_memory_mib": round(turn[f"{stage}_peak_memory_bytes"] / 2**20, 1),
            f"{stage}_gflops_per_sec": round(a_second / 1e9, 2),
            f"{stage}_peak_share": round(a_second / peak, 4),
        }
    return {**row, "infer_gmacs": round(turn["flops"] / 2e9, 4), "param_count": round(turn["parameters"] / 1e6, 2)}


def report(rows: list[Row], figures: dict[str, Any], folder: Path) -> None:
    """The table, printed and as table.md; bench.json, bench.csv and a chart."""
    measured = sorted((row for row in rows if "error" not in row), key=lambda row: -row["train_samples_per_sec"])
    failed = [row for row in rows if "error" in row]
    peak = max(figures["matrix_product_flops_per_second"])
    title = f"{figures['precision']}, matrix product {peak / 1e9:,.0f} GFLOP/s"
    if measured:
        size, batch = measured[0]["train_img_size"], measured[0]["train_batch_size"]
        title = f"images of {size} pixels, batches of {batch}, {title}"
    table = Table(Column("model", no_wrap=True), *(Column(header, justify="right") for header, _ in SHOWN.values()))
    lines = [
        f"{title}.",
        "",
        f"| model | {' | '.join(header for header, _ in SHOWN.values())} |",
        "|---|" + "---:|" * len(SHOWN),
    ]
    for row in measured:
        cells = [row["model"], *(how.format(row[key]) for key, (_, how) in SHOWN.items())]
        table.add_row(*cells)
        lines.append(f"| {' | '.join(cells)} |")
    remarks = [f"{row['model']} was not measured: {row['error']}" for row in failed]
    write_text(folder / "table.md", "\n".join([*lines, *(f"\n{remark}" for remark in remarks)]) + "\n")
    write_json(folder / "bench.json", {**figures, "networks": [*measured, *failed]})
    with whole(folder / "bench.csv") as partial, partial.open("w", newline="", encoding="utf-8") as file:
        columns = [*(measured[0] if measured else {"model": ""}), "error"]
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows([*measured, *failed])
    if measured:
        chart(measured, title, folder / "chart.png")
    console = Console(highlight=False, markup=False)
    console = console if console.is_terminal else Console(highlight=False, markup=False, width=WIDE)
    console.print(title, style="bold", soft_wrap=True)
    console.print(table)
    for remark in remarks:
        console.print(remark, soft_wrap=True)
    console.print(f"folder: {folder}: table.md, bench.json, bench.csv, chart.png, chart.svg", soft_wrap=True)
