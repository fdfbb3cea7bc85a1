"""`cnnlab eval`: what is asked for, what is said, what is written."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import OmegaConf
from rich.console import Console
from rich.table import Table

from cnnlab import conf
from cnnlab.atomic import whole, write_json
from cnnlab.check import check
from cnnlab.data.corruptions import CORRUPTIONS, SEVERITIES, Corrupted
from cnnlab.errors import UserError
from cnnlab.inference.evaluate import Evaluated, evaluate, on_other_data, test_data, together
from cnnlab.inference.robustness import robustness_chart, robustness_table
from cnnlab.inference.trained import Trained, load_run
from cnnlab.inference.views import TTA, Views
from cnnlab.inference.words import folders, items, one_of, parsed
from cnnlab.run import Config
from cnnlab.track import tracked

KEYS = {"run": "", "tta": "none", "corruptions": "", "shuffled_labels": "false", "output": ""}
SHUFFLES = 1000


def eval_command(words: Sequence[str]) -> None:
    """Prints a run's metrics on test images, and writes them beside it.

    Raises:
        UserError: a word, a run or its data cannot be used.
    """
    keys, overrides = parsed("eval", words, KEYS)
    tta = one_of("eval", "tta", keys["tta"], TTA)
    named = list(CORRUPTIONS) if keys["corruptions"] == "all" else items(keys["corruptions"])
    for name in named:
        one_of("eval", "corruptions", name, (*CORRUPTIONS, "all"))
    shuffled = one_of("eval", "shuffled_labels", keys["shuffled_labels"], ("true", "false")) == "true"
    runs = [load_run(folder) for folder in folders("eval", keys["run"])]
    configs = [_with_words(trained, overrides) for trained in runs]
    nets = [Views(one.net, TTA[tta]) if TTA[tta] else one.net for one in runs]
    console = Console(highlight=False)
    singles = [evaluate(one, config, net=net) for one, config, net in zip(runs, configs, nets, strict=True)]
    found = singles[0] if len(runs) == 1 else together(singles, [str(one.folder) for one in runs])
    told: dict[str, Any] = {"runs": [str(one.folder) for one in runs], "words": list(words), "metrics": found.metrics}
    told["images"] = len(found.predicted.label)
    plain = not overrides and tta == "none"
    console.print(_metrics(runs, singles, found, plain))
    if shuffled:
        told["shuffled_labels"] = control(found)
        console.print(
            "with shuffled labels: accuracy {mean:.2%} ± {std:.2%} (chance)".format(**told["shuffled_labels"])
        )
    folder = Path(keys["output"]) if keys["output"] else _folder(runs, configs[0], tta)
    if named:
        if len(runs) > 1:
            raise UserError("eval corruptions=...: of one run at a time")
        told["corruptions"] = _robustness(runs[0], configs[0], nets[0], named)
        console.print(robustness_table(told["corruptions"], found.metrics["test/accuracy"]))
        robustness_chart(told["corruptions"], found.metrics["test/accuracy"], folder / "corruptions")
    write_json(folder / "eval.json", told)
    with whole(folder / "predictions.npz") as partial:
        seen = found.predicted
        np.savez(partial, index=seen.index, label=seen.label, probabilities=seen.probabilities)
    console.print(f"written: {folder}", soft_wrap=True, markup=False)


def _with_words(trained: Trained, overrides: Sequence[str]) -> Config:
    """The run's configuration, or the same on what was typed of data."""
    if not overrides:
        return trained.config
    if any(word.startswith("datamodule=") for word in overrides):
        conf.register(overrides)
        typed = [word.partition("=")[0] for word in overrides]
        return on_other_data(trained.config, conf.composed(*overrides)["datamodule"], typed)
    config = OmegaConf.create(copy.deepcopy(trained.config))
    for word in overrides:
        key, _, value = word.lstrip("+").partition("=")
        key = f"datamodule.source.{key.rpartition('.')[2]}" if key in ("data_dir", "datamodule.data_dir") else key
        if OmegaConf.select(config, key, default="nothing") == "nothing":
            raise UserError(f"eval {word}: the run's configuration has no {key}")
        OmegaConf.update(config, key, OmegaConf.create(f"v: {value}").v)
    changed: Config = OmegaConf.to_container(config, resolve=True)  # type: ignore[assignment]
    check(changed)
    return changed


def _metrics(runs: list[Trained], singles: list[Evaluated], found: Evaluated, plain: bool) -> Table:
    """Of each run, beside what its result.json says where it is the same test; and of all together."""
    table = Table(title=f"{len(found.predicted.label):,} test images", title_justify="left")
    table.add_column("run", overflow="fold")
    names = ("accuracy", "top5_accuracy", "macro_f1", "loss")
    for name in names:
        table.add_column(name.replace("_", " "), justify="right")
    for trained, one in zip(runs, singles, strict=True):
        table.add_row(trained.folder.name, *(_shown(one.metrics, name) for name in names))
        if plain and trained.metrics:
            same = all(one.metrics[f"test/{name}"] == trained.metrics.get(f"test/{name}") for name in names)
            said = "result.json says the same" if same else "result.json"
            table.add_row(said, *([] if same else [_shown(trained.metrics, name) for name in names]))
    if len(runs) > 1:
        table.add_row(f"all {len(runs)} together", *(_shown(found.metrics, name) for name in names))
    return table


def _shown(metrics: dict[str, float], name: str) -> str:
    value = metrics.get(f"test/{name}")
    return "?" if value is None else f"{value:.4f}" if name == "loss" else f"{value:.2%}"


def control(found: Evaluated) -> dict[str, float]:
    """Accuracy when labels are shuffled: what would be reached without looking at the images."""
    random = np.random.default_rng(0)
    labels, predicted = found.predicted.label, found.predicted.predicted
    reached = [float((predicted == random.permutation(labels)).mean()) for _ in range(SHUFFLES)]
    return {"mean": float(np.mean(reached)), "std": float(np.std(reached)), "shuffles": SHUFFLES}


def _robustness(trained: Trained, config: Config, net: Any, named: Sequence[str]) -> dict[str, list[float]]:
    """Accuracy at each severity of each corruption."""
    data = test_data(config)
    source, size = data.source, data.image_size
    found: dict[str, list[float]] = {name: [] for name in named}
    pairs = [(name, severity) for name in named for severity in SEVERITIES]
    for name, severity in tracked(pairs, len(pairs), "corruptions"):
        seen = evaluate(trained, config, Corrupted(source, size, name, severity), net)
        found[name].append(seen.metrics["test/accuracy"])
    return found


def _folder(runs: list[Trained], config: Config, tta: str) -> Path:
    name: str = config["datamodule"]["name"] + ("" if tta == "none" else f"-{tta}")
    if len(runs) == 1:
        return runs[0].folder / "eval" / name
    return runs[0].folder.parent / "eval" / f"{name}-{len(runs)}-runs"
