"""`cnnlab bench overhead`: what a training step costs beside its arithmetic."""

import io
import logging
import time
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import lightning
import torch
import torch.nn.functional as F
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger

from cnnlab.bench.arguments import parted, whole_number
from cnnlab.bench.lightnings import Habits, Plain
from cnnlab.bench.overhead_report import report
from cnnlab.bench.paired import in_turns
from cnnlab.build import build_data, build_network
from cnnlab.callbacks.stopwatch import Stopwatch
from cnnlab.conf import composed, register
from cnnlab.data.feed import Feed
from cnnlab.run import Config, Run
from cnnlab.train import fit

COUNTS = {"rounds": 5, "steps": 300}
OURS, BARE, LIGHTNING, TEMPLATE = "cnnlab, all on", "bare loop", "Lightning, nothing on", "template's habits"
# an 8x8 linear layer, of which nearly nothing is arithmetic, and a network that people train
WORKLOADS = {
    "tiny": ("model._target_=cnnlab.models.linear.linear", "datamodule.image_size=8", "datamodule.batch_size=32"),
    "lenet5": ("datamodule.batch_size=128",),
}
DATA = ("model=lenet5", "datamodule=synthetic", "datamodule.in_channels=1", "datamodule.mean=[0.5]")
VALIDATION = 64  # images; what is timed is training
Seconds = float


def bench_overhead(arguments: list[str]) -> None:
    """Measures, prints and writes what `cnnlab bench --help` says.

    Raises:
        UserError: an argument is not legal.
    """
    own, words = parted(arguments, COUNTS)
    counts = COUNTS | {key: whole_number(key, value) for key, value in own.items()}
    register()
    silence()
    measured: dict[str, dict[str, list[Seconds]]] = {}
    for name, workload in WORKLOADS.items():
        config = configured(workload, words, counts["steps"])
        who = contenders(config)
        for run in who.values():
            run()
        measured[name] = {contender: [] for contender in who}
        for contender in in_turns(who, counts["rounds"]):
            measured[name][contender].append(who[contender]())
    report(measured, (BARE, OURS, TEMPLATE), Path(config["runs_dir"], "bench", "overhead"), counts, words)


def configured(workload: tuple[str, ...], words: list[str], steps: int) -> Config:
    """One epoch of so many steps on the CPU, everything else as `cnnlab train` has it."""
    config = composed(*DATA, "datamodule.std=[0.25]", "optim=momentum", "trainer.max_epochs=1", "test=false",
                      "trainer.accelerator=cpu", *workload, *words)  # fmt: skip
    data = config["datamodule"]
    data["source"]["train_images"] = steps * data["batch_size"] + VALIDATION
    data["val_fraction"] = VALIDATION / data["source"]["train_images"]
    return config


def contenders(config: Config) -> dict[str, Callable[[], Seconds]]:
    """Each trains an epoch of the same batches with the same network and optimizer, and says what a step took."""
    optimizer = partial(torch.optim.SGD, lr=config["optim"]["lr"], momentum=0.9, fused=True)
    return {
        BARE: partial(bare, config, optimizer),
        OURS: partial(ours, config),
        LIGHTNING: partial(with_lightning, config, lambda net: Plain(net, optimizer), habits=False),
        TEMPLATE: partial(
            with_lightning, config, lambda net: Habits(net, optimizer, config["model"]["num_classes"]), habits=True
        ),
    }


class Batches:
    """Batches of the device feed, normalised: the same tensors for all who train without cnnlab."""

    def __init__(self, config: Config, stage: str) -> None:
        self.data = build_data(config)
        self.data.setup("fit")
        self.feed: Feed = self.data.train_dataloader() if stage == "train" else self.data.val_dataloader()

    def __len__(self) -> int:
        return len(self.feed)

    def __iter__(self) -> Any:
        for batch in self.feed:
            yield self.data.on_after_batch_transfer(batch, 0)


def bare(config: Config, optimizer: Any) -> Seconds:
    """What PyTorch's tutorials write."""
    torch.manual_seed(0)
    net, batches = build_network(config), Batches(config, "train")
    made = optimizer(net.parameters())
    begun = time.perf_counter()
    for images, labels, _ in batches:
        made.zero_grad()
        F.cross_entropy(net(images), labels).backward()  # type: ignore[no-untyped-call]
        made.step()
    return (time.perf_counter() - begun) / len(batches)


def with_lightning(config: Config, module: Callable[[Any], Plain], habits: bool) -> Seconds:
    """A Trainer with nothing on, or with the callbacks and the logger of a template."""
    silence()
    stopwatch = Stopwatch(1)
    with TemporaryDirectory(prefix="cnnlab-bench-") as folder, redirect_stdout(Terminal()), redirect_stderr(Terminal()):
        on: dict[str, Any] = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
        callbacks: list[Any] = [stopwatch]
        if habits:
            on = {"logger": CSVLogger(folder)}
            best = ModelCheckpoint(folder, monitor="val/acc", mode="max", save_last=True)
            callbacks += [best, EarlyStopping("val/acc", mode="max", patience=100)]
        trainer = lightning.Trainer(accelerator="cpu", max_epochs=1, callbacks=callbacks, enable_model_summary=False,
                                    default_root_dir=folder, **on)  # fmt: skip
        judged = Batches(config, "val") if habits else None
        trainer.fit(module(build_network(config)), Batches(config, "train"), judged)
    return stopwatch.seconds / stopwatch.images


def ours(config: Config) -> Seconds:
    """`cnnlab train` as it comes: bar, scores, curves, checkpoints, and all that watches over a run."""
    with TemporaryDirectory(prefix="cnnlab-bench-") as folder, redirect_stdout(Terminal()), redirect_stderr(Terminal()):
        fit(config, folder)
        rate: float = Run(Path(folder)).result()["cost"]["train_images_per_second"]
        return float(config["datamodule"]["batch_size"] / rate)


class Terminal(io.StringIO):
    """Progress bars believe that somebody looks at them."""

    def isatty(self) -> bool:
        return True


def silence() -> None:
    """Lightning's advice and cnnlab's words, which would be drawn into what is measured."""
    logging.getLogger("cnnlab").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module="lightning")
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
