"""One batch of every kind of cell, before the first cell starts: what will fail then fails now, and what it costs."""

import json
import math
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from omegaconf import OmegaConf

from cnnlab.data.limits import limited
from cnnlab.errors import UserError
from cnnlab.launch.child import Work
from cnnlab.launch.pool import Pool
from cnnlab.run import Config, Run
from cnnlab.track import tracked

TIMED = 4  # steps, of which the first few are slower and the median counts
# of the first loss and ln K, beyond which something is worth a look
LARGEST_RATIO = 1.5


@dataclass(frozen=True)
class Rehearsed:
    """What came of one kind of cell: its result.json and what its checkpoints took, or an error."""

    error: str = ""
    result: Config | None = None
    seconds: float = 0.0
    disk_bytes: int = 0


def kind(config: Config) -> str:
    """What cells share that do the same work and can fail in the same way: all but seeds, rates and their like."""
    regularizer = {key: value if isinstance(value, str) else value > 0 for key, value in config["regularizer"].items()}
    data = {k: v for k, v in config["datamodule"].items() if k not in ("label_noise", "fold", "split_seed")}
    trainer = {key: config["trainer"][key] for key in ("accelerator", "devices", "num_nodes", "precision")}
    shown = [config["model"], regularizer, data, config["augment"], config["optim"]["_target_"], trainer]
    batches = [config["trainer"][key] for key in ("accumulate_grad_batches", "micro_batches")]
    return json.dumps([*shown, batches, config["callbacks"], config["scheduler"]["_target_"]], sort_keys=True)


def configs_done(study: Path) -> Iterator[Config]:
    """Of the study's cells that are done."""
    for file in study.glob("*/result.json"):
        if Run(file.parent).done:
            yield OmegaConf.to_container(OmegaConf.load(Run(file.parent).config_file))  # type: ignore[misc]


def rehearse(pool: Pool, cells: Iterable[Work], steps: int) -> dict[str, Rehearsed]:
    """Trains so many steps of one cell of each kind, validates and tests a batch, all in processes of their own."""
    first = {kind(work.config): work for work in reversed(list(cells))}
    with tempfile.TemporaryDirectory(prefix="cnnlab-rehearsal-") as folder:
        works = {key: shortened(work, Path(folder, str(n)), steps) for n, (key, work) in enumerate(first.items())}
        ended = (work for work in pool.run(list(works.values())) if work is not None)
        for _ in tracked(ended, len(works), "one batch of each kind of cell"):
            pass
        return {key: _outcome(Run(work.folder)) for key, work in works.items()}


def shortened(work: Work, folder: Path, steps: int) -> Work:
    """The same, for a few steps, in one process, with no logger."""
    config, trainer = work.config, work.config["trainer"]
    processes = trainer["devices"] * trainer["num_nodes"]
    limits = {f"limit_{stage}_batches": count for stage, count in (("train", steps), ("val", 1), ("test", 1))}
    short = {"max_epochs": 1, "check_val_every_n_epoch": 1, "devices": 1, "num_nodes": 1, "max_restarts": 0}
    data = {**config["datamodule"], "batch_size": config["datamodule"]["batch_size"] // processes}
    few = {**config, "trainer": {**trainer, **limits, **short}, "datamodule": data, "logger": {}}
    return replace(work, config=few, folder=folder)


def _outcome(run: Run) -> Rehearsed:
    status = run.status
    if not run.done:
        return Rehearsed(error=str(status.get("error") or status.get("state") or "it never began"))
    sizes = [file.stat().st_size for file in run.folder.rglob("*.ckpt")]
    return Rehearsed("", run.result(), float(status["seconds"]), sum(sizes))


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
    remarks = {key: remark for key, one in rehearsed.items() if (remark := _odd_loss(one))}
    names = {key: next(work.folder.name for work in cells if kind(work.config) == key) for key in remarks}
    return [f"{names[key]}: {remark}" for key, remark in remarks.items()]


def _odd_loss(one: Rehearsed) -> str:
    """A first loss far from ln K tells of weights that begin too large, or of images that are not normalised."""
    assert one.result is not None
    loss = one.result["metrics"]["train/loss"]
    expected = math.log(len(one.result["per_class"]))
    if loss is None or not expected / LARGEST_RATIO < loss < expected * LARGEST_RATIO:
        shown = "not finite" if loss is None else f"{loss:.2f}"
        return f"its first loss is {shown}, where ln {len(one.result['per_class'])} = {expected:.2f} is to be expected"
    return ""


def disk_bytes(one: Rehearsed, config: Config) -> int:
    """What a cell will take: its checkpoints, and its predictions (float32 for each class, and two numbers)."""
    assert one.result is not None
    images = int(one.result["data"]["images"]["test"])
    return one.disk_bytes + images * (4 * int(config["datamodule"]["num_classes"]) + 16)


def require_disk(needed: int, folder: Path) -> None:
    """Raises a UserError if the disk of a folder that may not be there yet is too full."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    if needed > free:
        raise UserError(
            f"{folder}: the cells need about {needed / 2**30:.1f} GiB, and {free / 2**30:.1f} GiB are free there. "
            "Make room, or choose another place with runs_dir=..."
        )


def seconds_of(one: Rehearsed, config: Config) -> float:
    """What a cell is expected to take, if it has the machine as the rehearsal had it."""
    assert one.result is not None
    cost, images, trainer, data = (
        one.result["cost"],
        one.result["data"]["images"],
        config["trainer"],
        config["datamodule"],
    )
    batches = limited(images["train"] // data["batch_size"], trainer["limit_train_batches"])
    unit = data["batch_size"]
    judged = {
        stage: min(images[stage], limited(-(-images[stage] // unit), trainer[f"limit_{stage}_batches"]) * unit)
        for stage in ("val", "test")
    }
    seconds_an_image = cost["validation_seconds"] / min(images["val"], unit)
    around = max(0.0, one.seconds - cost["fit_seconds"])
    epoch = batches * cost["step_seconds"]
    training = trainer["max_epochs"] * epoch
    if trainer["max_steps"] > 0:
        training = min(training, trainer["max_steps"] * trainer["accumulate_grad_batches"] * cost["step_seconds"])
    if config["budget"]["name"] == "seconds":
        training = min(training, config["budget"]["amount"])
    validations = -(-training // epoch) // trainer["check_val_every_n_epoch"]
    return float(training + (validations * judged["val"] + judged["test"]) * seconds_an_image + around)
