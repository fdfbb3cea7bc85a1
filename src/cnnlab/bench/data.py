"""`cnnlab bench data`: images a second of both feeds."""

import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from torch.utils.data import BatchSampler, DataLoader, SequentialSampler

from cnnlab.bench.arguments import parted, whole_number
from cnnlab.bench.paired import Contender, Rates, take_turns
from cnnlab.bench.plain import DecodedOnly, PlainImages, path_of, plain_loader
from cnnlab.bench.report import compare
from cnnlab.build import build_data
from cnnlab.check import check
from cnnlab.conf import chosen, composed, register
from cnnlab.data.datamodule import ImageData
from cnnlab.data.feed import Feed
from cnnlab.data.source import Stage
from cnnlab.environment import environment
from cnnlab.errors import UserError
from cnnlab.run import Config
from cnnlab.targets import make

DEFAULTS = ("datamodule=synthetic", "datamodule.source.train_images=14336", "augment=standard")
ROUNDS, IMAGES = 5, 12_288


def bench_data(arguments: list[str]) -> None:
    """Measures, prints and writes what `cnnlab bench --help` says.

    Raises:
        UserError: an argument, or what is composed from them, is not legal.
    """
    own, words = parted(arguments, ("rounds", "images"))
    counts = {key: whole_number(key, value) for key, value in own.items()}
    named = {word.split("=")[0] for word in words}
    if "datamodule" not in named:
        words = [*DEFAULTS[:2], *words]
    if "augment" not in named:
        words = [DEFAULTS[2], *words]
    register()
    config, augment = composed(*words), chosen("augment", *words)
    check(config)
    rounds, images = counts.get("rounds", ROUNDS), counts.get("images", IMAGES)
    measured = take_turns(contenders(config, images), rounds)
    report(measured, config, augment, rounds, words)


def ready(config: Config, images: int, feed: str, workers: int) -> ImageData:
    """The data of that configuration, at most so many images, fed in that way."""
    keys = {**config["datamodule"], "feed": feed, "num_workers": workers}
    data = build_data({**config, "datamodule": keys})
    data.device_alone = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    data.prepare_data()
    data.setup("fit")
    train = data.sets["train"]
    if len(train) > images:
        data.sets["train"] = train.subset(np.sort(np.random.default_rng(0).permutation(len(train))[:images]))
    if len(data.sets["train"]) < data.batch_size:
        raise UserError(f"{images} images are fewer than datamodule.batch_size={data.batch_size}")
    return data


def contenders(config: Config, images: int) -> dict[str, Contender]:
    """Who takes part; 'plain' ones augment, normalise and collate image by image."""
    some = (0, os.cpu_count() or 1)
    first = ready(config, images, "workers", 0)
    in_files = path_of(first.sets["train"], 0) is not None
    unaugmented = {**config, "augment": {"transforms": [], "full_image": False}}
    who: dict[str, Contender] = {}
    for workers in some:
        who[plain(workers)] = partial(run_plain, plain_of(config, first, workers))
    for workers in some:
        data = ready(config, images, "workers", workers)
        feed = data.train_dataloader()
        who[f"workers feed, {workers} workers"] = partial(run_feed, data, feed)
        if in_files:
            who[f"workers feed, {workers} workers, bytes"] = partial(run_feed, data, feed, normalize=False)
    try:
        data = ready(config, images, "device", 0)
        who["device feed"] = partial(run_feed, data, data.train_dataloader())
    except UserError as error:
        Console(stderr=True, highlight=False, markup=False).print(f"no device feed: {error}", soft_wrap=True)
    for workers in some:
        loader = plain_of(unaugmented, first, workers)
        who[f"plain, {workers} workers, no augmentation"] = partial(run_plain, loader)
    if in_files:
        for workers in some:
            who[f"decoder alone, {workers} workers"] = partial(run_decoder, decoders(first, workers))
    return who


def plain(workers: int) -> str:
    """What the plain DataLoader is called."""
    return f"plain DataLoader, {workers} workers"


def plain_of(config: Config, data: ImageData, workers: int, stage: Stage = "train") -> "DataLoader[Any]":
    """albumentations' Compose of the same steps, then its Normalize and ToTensorV2."""
    import albumentations
    from albumentations.pytorch import ToTensorV2

    steps = [make("augment.transforms", step) for step in config["augment"]["transforms"]]
    keys = config["datamodule"]
    normalize = albumentations.Normalize(mean=keys["mean"], std=keys["std"])
    compose = albumentations.Compose([*steps, normalize, ToTensorV2()])
    images = PlainImages(data.sets[stage], data.image_size, compose, config["augment"]["full_image"])
    return plain_loader(images, data.batch_size, workers)


def decoders(data: ImageData, workers: int) -> "DataLoader[Any]":
    """Processes that decode and do nothing else, in order."""
    images = DecodedOnly(data.sets["train"], data.in_channels)
    batches = BatchSampler(SequentialSampler(images), data.batch_size, drop_last=True)
    return DataLoader(images, None, sampler=batches, num_workers=workers, persistent_workers=workers > 0)


def run_plain(loader: Iterable[Any]) -> int:
    """A pass over all batches."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    count = sum(len(images.to(device)) for images, _ in loader)
    if device.type == "cuda":
        torch.cuda.synchronize()
    return count


def run_decoder(loader: Iterable[int]) -> int:
    """A pass over all files."""
    return sum(loader)


def run_feed(data: ImageData, loader: Feed, normalize: bool = True) -> int:
    """A pass over all batches, each epoch another; normalised as in training, or as they come to a device."""
    loader.sampler.set_epoch(loader.sampler.epoch + 1)
    count = 0
    for batch in loader:
        moved = [part.to(data.device_alone, non_blocking=True) for part in batch]
        if normalize:
            data.on_after_batch_transfer((moved[0], moved[1], moved[2]), 0)
        count += len(moved[0])
    if data.device_alone.type == "cuda":
        torch.cuda.synchronize()
    return count


def report(measured: Rates, config: Config, augment: str, rounds: int, words: list[str]) -> None:
    """Prints the table, and writes it, the figures and the chart."""
    keys = config["datamodule"]
    folder = Path(config["runs_dir"], "bench", f"data-{keys['name']}-{augment}")
    shape = f"{keys['in_channels']}x{keys['image_size']}x{keys['image_size']}"
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    title = f"{keys['name']} {shape}, augment={augment}, batches of {keys['batch_size']}, {device.type}"
    baselines = [name for name in measured.rates if name.startswith(("plain DataLoader", "decoder alone"))]
    figures = {"command": ["cnnlab", "bench", "data", *words], "rounds": rounds, "images_per_second": measured.rates}
    ours = "device feed" if "device feed" in measured.rates else f"workers feed, {os.cpu_count() or 1} workers"
    compare(measured, baselines, ours, "images/s", title, folder, {**figures, "environment": environment(device)})
