"""`cnnlab data`: a data set and its augmentation, looked at before anything is trained."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from cnnlab.atomic import whole, write_json
from cnnlab.build import build_data
from cnnlab.check import check
from cnnlab.data.contact_sheet import Row, contact_sheet
from cnnlab.data.datamodule import ImageData
from cnnlab.data.resize import fit_to
from cnnlab.data.statistics import Described, describe, duplicates
from cnnlab.run import Config

ROWS, COLUMNS = 12, 8  # of the contact sheet
LISTED = 30  # classes in the terminal; the file has all
FAR = 0.02  # between the configured and the measured mean or std of a channel


def show(config: Config, augment: str) -> None:
    """Prints the tables, and writes contact_sheet.png, classes.csv and data.json to runs/data/<name>-<augment>/.

    Raises:
        UserError: the configuration is not legal, or the data are not there or bad.
    """
    check(config)
    data = build_data(config)
    data.batch_size = 1  # nothing is trained here: few images will do
    data.prepare_data()
    for stage in ("fit", "test"):
        data.setup(stage)
    name = config["datamodule"]["name"]
    folder = Path(config["runs_dir"], "data", f"{name}-{augment}")
    described = {
        stage: describe(images, data.num_classes, data.image_size, stage) for stage, images in data.sets.items()
    }
    train = described["train"]
    twice = duplicates(described, data.sets)

    rows = sample_rows(data)
    size = f"{data.in_channels}x{data.image_size}x{data.image_size}"
    title = f"{name}, augment={augment}, {size}, {data.feeds['train']} feed, seed {data.seed}"
    with whole(folder / "contact_sheet.png") as partial:
        contact_sheet(rows, title).save(partial)
    with whole(folder / "classes.csv") as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["label", "class", *described])
        writer.writerows(
            [label, word, *(of.counts[label] for of in described.values())]
            for label, word in enumerate(data.source.classes)
        )
    measured = {"mean": train.mean.tolist(), "std": train.std.tolist()}
    configured = {key: config["datamodule"][key] for key in measured}
    write_json(
        folder / "data.json", {**data.used(), "measured": measured, "configured": configured, "duplicates": twice}
    )

    console = Console(highlight=False, markup=False)
    for words, table in (
        (title, table_of_classes(data.source.classes, described)),
        ("channels of the training images, in 0..1", table_of_colours(measured, configured)),
        ("images with the same pixels", table_of_duplicates(twice)),
    ):
        console.print(words, style="bold", soft_wrap=True)  # a table's own title would be broken to the table's width
        console.print(table)
    if skipped := data.used()["skipped_files"]:
        console.print(f"{skipped} files are no whole images and are left out")
    if any(abs(np.subtract(measured[key], configured[key])).max() > FAR for key in measured):
        told = " ".join(f"datamodule.{key}=[{','.join(f'{x:.4f}' for x in measured[key])}]" for key in measured)
        console.print(f"The configured mean or std is far from what was measured. To take that: {told}", soft_wrap=True)
    console.print(f"folder: {folder}: contact_sheet.png, classes.csv, data.json", soft_wrap=True)


def sample_rows(data: ImageData) -> list[Row]:
    """An image of each class (of twelve, if there are more), and what training makes of it in eight epochs."""
    train = data.sets["train"]
    batches: Any = data.train_dataloader().dataset
    present = np.unique(train.labels)
    chosen = present[np.unique(np.linspace(0, len(present) - 1, min(ROWS, len(present))).astype(int))]
    positions = np.array([np.flatnonzero(train.labels == label)[0] for label in chosen])
    epochs = [batches[epoch, positions][0].permute(0, 2, 3, 1).cpu().numpy() for epoch in range(COLUMNS)]
    return [
        Row(
            data.source.classes[label],
            fit_to(train.images[int(position)], data.image_size),
            [images[line] for images in epochs],
        )
        for line, (label, position) in enumerate(zip(chosen, positions, strict=True))
    ]


def table_of_classes(names: tuple[str, ...], described: dict[Any, Described]) -> Table:
    """Images of each class and set; of many classes the first ones and how many there are."""
    table = Table(show_footer=True)
    table.add_column("class", f"{len(names)} classes")
    for stage, of in described.items():
        table.add_column(stage, f"{of.counts.sum():,}", justify="right")
    for label, name in enumerate(names[:LISTED]):
        table.add_row(name, *(f"{of.counts[label]:,}" for of in described.values()))
    if len(names) > LISTED:
        table.add_row(f"... {len(names) - LISTED} more in classes.csv", *("" for _ in described))
        for word, pick in (("smallest", np.min), ("largest", np.max)):
            table.add_row(word, *(f"{pick(of.counts):,}" for of in described.values()))
    return table


def table_of_colours(measured: dict[str, list[float]], configured: dict[str, list[float]]) -> Table:
    """Mean and std of the training images' channels, in 0..1, as measured and as they are normalised with."""
    table = Table()
    table.add_column("")
    for channel in range(len(measured["mean"])):
        table.add_column(str(channel), justify="right")
    for word, values in (("measured", measured), ("configured", configured)):
        for key in values:
            table.add_row(f"{key}, {word}", *(f"{value:.4f}" for value in values[key]))
    return table


def table_of_duplicates(twice: list[dict[str, Any]]) -> Table:
    """How many images are there twice, pixel by pixel."""
    table = Table()
    for column in ("", "images", "with another label"):
        table.add_column(column, justify="right" if column else "left")
    for row in twice:
        where = f"twice in {row['of']}" if row["of"] == row["in"] else f"of {row['of']} in {row['in']}"
        table.add_row(where, f"{row['images']:,}", f"{row['other_label']:,}")
    return table
