"""One batch of every kind of cell, before the first cell starts: what will fail then fails now, and what it costs."""

import hashlib
import json
import math
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from cnnlab.data.limits import limited
from cnnlab.errors import UserError
from cnnlab.launch.child import Work
from cnnlab.launch.pool import Pool
from cnnlab.run import Config, Run
from cnnlab.study.record import read_record
from cnnlab.track import tracked

TIMED = 4  # steps, of which the first few are slower and the median counts
# of the first loss and ln K, beyond which something is worth a look
LARGEST_RATIO = 1.5


@dataclass(frozen=True)
class Rehearsed:
    """What came of one kind of cell: its result.json and what its checkpoints took, or an error.

    remark: what is odd about it; with it alone nothing was measured.
    """

    error: str = ""
    result: Config | None = None
    remark: str = ""
    seconds: float = 0.0
    disk_bytes: int = 0


# of trainer.*; not levers.LEVERS, which would import torch
OF_TRAINER = (
    "accelerator",
    "devices",
    "num_nodes",
    "precision",
    "fast",
    "channels_last",
    "compile",
    "activation_checkpointing",
)


def kind(config: Config) -> str:
    """What cells share that do the same work and can fail in the same way: all but seeds, rates and their like."""
    regularizer = {key: value if isinstance(value, str) else value > 0 for key, value in config["regularizer"].items()}
    data = {k: v for k, v in config["datamodule"].items() if k not in ("label_noise", "fold", "split_seed")}
    trainer = {key: config["trainer"][key] for key in OF_TRAINER}
    shown = [config["model"], regularizer, data, config["augment"], config["optim"]["_target_"], trainer]
    batches = [config["trainer"][key] for key in ("accumulate_grad_batches", "micro_batches")]
    everything = json.dumps([*shown, batches, config["callbacks"], config["scheduler"]["_target_"]], sort_keys=True)
    return hashlib.sha256(everything.encode()).hexdigest()[:16]


def rehearse(pool: Pool, cells: Iterable[Work], steps: int) -> dict[str, Rehearsed]:
    """Trains so many steps of one cell of each kind, validates and tests a batch, all in processes of their own."""
    first = {kind(work.config): work for work in reversed(list(cells))}
    if not first:
        return {}
    study = next(iter(first.values())).folder.parent
    there = nearest(study.parent)  # a disk that has room for cells
    rehearsed = {}
    with tempfile.TemporaryDirectory(prefix=".cnnlab-rehearsal-", dir=there) as folder:
        works = {Path(folder, key): shortened(work, Path(folder, key), steps) for key, work in first.items()}
        ended = (work for work in pool.run(list(works.values())) if work is not None)
        for work in tracked(ended, len(works), "one batch of each kind of cell"):
            rehearsed[work.folder.name] = _outcome(Run(work.folder))
            shutil.rmtree(work.folder)
    return {key: rehearsed[key] for key in first}


def shortened(work: Work, folder: Path, steps: int) -> Work:
    """The same, for a few steps, in one process, with no logger, and with no search that it tells of them."""
    config, trainer = work.config, work.config["trainer"]
    processes = trainer["devices"] * trainer["num_nodes"]
    limits = {f"limit_{stage}_batches": count for stage, count in (("train", steps), ("val", steps), ("test", 1))}
    short = {"max_epochs": 1, "check_val_every_n_epoch": 1, "devices": 1, "num_nodes": 1, "max_restarts": 0}
    few = {
        "trainer": {**trainer, **limits, **short},
        "datamodule": {**config["datamodule"], "batch_size": config["datamodule"]["batch_size"] // processes},
        "scheduler": {**config["scheduler"], "warmup_epochs": 0},
        "logger": {},
        "pruning": None,
        "test": True,
    }
    return replace(work, config={**config, **few}, folder=folder)


def _outcome(run: Run) -> Rehearsed:
    status = run.status
    if status.get("state") == "diverged":  # a result, which other rates may not have
        return Rehearsed(remark=f"it diverged in its first steps: {status['error']}")
    if not run.done:
        return Rehearsed(error=str(status.get("error") or status.get("state") or "it never began"))
    result = run.result()
    return Rehearsed("", result, _odd_loss(result), float(status["seconds"]), checkpoint_bytes(run))


def checkpoint_bytes(run: Run) -> int:
    """What they take."""
    return sum(file.stat().st_size for file in run.checkpoints.glob("*.ckpt"))


def known_kinds(study: Path) -> dict[str, int]:
    """The kinds of cells of which a study has one that is done, and what its checkpoints take."""
    found: dict[str, int] = {}
    for name, cell in read_record(study)["cells"].items():
        if cell.get("kind") and cell["kind"] not in found and Run(study / name).done:
            found[cell["kind"]] = checkpoint_bytes(Run(study / name))
    return found


def require_all(rehearsed: dict[str, Rehearsed], cells: list[Work]) -> list[str]:
    """Raises a UserError if a kind of cell could not be trained; else gives what is odd about the others."""
    failed = {key: one.error for key, one in rehearsed.items() if one.error}
    lines = []
    for key, error in failed.items():
        like = [work for work in cells if kind(work.config) == key]
        more = f" and {len(like) - 1} more like it" if len(like) > 1 else ""
        lines.append(f"{like[0].folder.name}{more}: {error}")
    if lines:
        advice = "Nothing was trained; hydra.launcher.rehearse=false begins nevertheless"
        raise UserError(
            "\n".join([f"a first batch does not go through in {len(lines)} kinds of cells:", *lines, advice])
        )
    odd = {key: one.remark for key, one in rehearsed.items() if one.remark}
    names = {key: next(work.folder.name for work in cells if kind(work.config) == key) for key in odd}
    return [f"{names[key]}: {remark}" for key, remark in odd.items()]


def _odd_loss(result: Config) -> str:
    """A first loss far from ln K tells of weights that begin too large, or of images that are not normalised."""
    loss, classes = result["metrics"]["train/loss"], len(result["per_class"])
    expected = math.log(classes)
    if loss is None or not expected / LARGEST_RATIO < loss < expected * LARGEST_RATIO:
        shown = "not finite" if loss is None else f"{loss:.2f}"
        return f"its first loss is {shown}, where ln {classes} = {expected:.2f} is to be expected"
    return ""


def disk_bytes(one: Rehearsed, config: Config) -> int:
    """What a cell will take: its checkpoints, and its predictions (float32 for each class, and two numbers)."""
    if one.result is None:
        return 0
    images = int(one.result["data"]["images"]["test"])
    return one.disk_bytes + images * (4 * int(config["datamodule"]["num_classes"]) + 16)


def nearest(folder: Path) -> Path:
    """The folder, or that above it which is there."""
    folder = folder.absolute()
    return next(path for path in (folder, *folder.parents) if path.exists())


def free_bytes(folder: Path) -> int:
    """Of the disk of a folder that may not be there yet."""
    return shutil.disk_usage(nearest(folder)).free


def require_disk(needed: int, folder: Path) -> None:
    """Raises a UserError if the disk of a folder that may not be there yet is too full."""
    free = free_bytes(folder)
    if needed > free:
        raise UserError(
            f"{folder}: the cells need about {needed / 2**30:.1f} GiB, and {free / 2**30:.1f} GiB are free there. "
            "Make room, or choose another place with runs_dir=..."
        )


def seconds_of(one: Rehearsed, config: Config) -> float:
    """What a cell is expected to take, if it has the machine as the rehearsal had it."""
    assert one.result is not None
    cost, images = one.result["cost"], one.result["data"]["images"]
    trainer, data = config["trainer"], config["datamodule"]
    unit = data["batch_size"]
    step = cost["step_seconds"] * trainer["micro_batches"]
    epoch = limited(images["train"] // unit, trainer["limit_train_batches"]) * step
    training = trainer["max_epochs"] * epoch
    if trainer["max_steps"] > 0:
        training = min(training, trainer["max_steps"] * trainer["accumulate_grad_batches"] * step)
    if config["budget"]["name"] == "seconds":
        training = min(training, config["budget"]["amount"])
    judged = {
        stage: min(images[stage], limited(-(-images[stage] // unit), trainer[f"limit_{stage}_batches"]) * unit)
        for stage in ("val", "test")
    }
    seconds_an_image = cost["validation_step_seconds"] / min(images["val"], data["eval_batch_size"])
    validations = -(-training // epoch) // trainer["check_val_every_n_epoch"]
    around = max(0.0, one.seconds - cost["fit_seconds"])
    return float(training + (validations * judged["val"] + judged["test"]) * seconds_an_image + around)
