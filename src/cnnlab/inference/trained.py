"""A trained network, rebuilt from the folder of its run."""

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from torch import nn

from cnnlab.build import build_network
from cnnlab.check import check, check_ranges
from cnnlab.checkpoints import BEST, UNREADABLE, WholeFiles, levers_in
from cnnlab.conf import conf_folder
from cnnlab.errors import UserError
from cnnlab.run import Config, Run
from cnnlab.study.config import read_config


@dataclass(frozen=True)
class Trained:
    """net: with its best weights, in eval mode. classes: their names, in the order of the outputs; empty if no test
    told them. metrics: of result.json; empty for a run that is not done.
    """

    folder: Path
    config: Config
    net: nn.Module
    classes: list[str]
    metrics: dict[str, float]


def load_run(folder: str | Path) -> Trained:
    """The best network of a run, on the CPU; nothing in its files is executed but what its configuration names.

    Raises:
        UserError: it is no run's folder, has no best weights yet, or they cannot be read.
    """
    run = Run(Path(folder))
    require_begun(run)
    best = run.checkpoints / BEST
    if not best.is_file():
        state = run.status.get("state", "not begun")
        raise UserError(f"run={folder}: it is {state} and has no checkpoints/{BEST}; the same command trains it")
    config = config_of(run)
    net, (state, levers) = build_network(config), content_of(best)
    fill(net, state, best)
    if config["trainer"]["fast"]:  # on this machine it might decide otherwise
        config["trainer"] |= levers
        check_ranges(config)
    result: dict[str, Any] = run.result() if run.result_file.exists() else {}
    return Trained(run.folder, config, net.eval(), list(result.get("per_class", {})), result.get("metrics", {}))


def require_begun(run: Run) -> None:
    """Raises a UserError if it is not the folder of a run."""
    if not run.folder.is_dir():
        raise UserError(f"run={run.folder}: there is no such folder")
    if not run.config_file.is_file():
        raise UserError(f"run={run.folder}: it is not the folder of a run (there is no .hydra/config.yaml in it)")


def config_of(run: Run) -> Config:
    """What it was trained with.

    Raises:
        UserError: someone has made something else of it.
    """
    try:
        config: Config = copy.deepcopy(read_config(run.config_file))
    except ValueError as error:
        raise UserError(str(error)) from error
    try:
        config["trainer"] = {**later_keys(config["trainer"]), **config["trainer"]}
        began_with, config["model"]["weights"] = config["model"]["weights"], None  # the file may be gone
        check(config)
    except (UserError, LookupError, TypeError) as error:
        raise UserError(f"{run.config_file}: {error}") from error
    config["model"]["weights"] = began_with
    return config


def later_keys(trainer: Config) -> Config:
    """Keys of trainer.* that came after a run was trained, which was as their defaults say."""
    defaults = OmegaConf.create((conf_folder() / "trainer" / "default.yaml").read_text(encoding="utf-8"))
    return {str(key): OmegaConf.select(defaults, str(key)) for key in defaults if key not in trainer}


def content_of(file: Path) -> tuple[Any, Config]:
    """A checkpoint's weights, and which levers were on where it says so; nothing in it is executed.

    Raises:
        UserError: it is damaged.
    """
    try:
        saved = WholeFiles().load_checkpoint(file)
        return saved["state_dict"], levers_in(saved) or {}
    except UserError:
        raise
    except UNREADABLE as error:
        raise UserError(f"{file} cannot be read ({type(error).__name__}); train this run again") from error


def fill(net: nn.Module, state: Any, file: Path) -> None:
    """Gives a network the weights of a checkpoint.

    Raises:
        UserError: it is of another network.
    """
    weights = {name.removeprefix("net."): tensor for name, tensor in state.items() if name.startswith("net.")}
    try:
        net.load_state_dict(weights)
    except RuntimeError as error:
        said = " ".join(str(error).split())
        raise UserError(f"{file} is not of the network that .hydra/config.yaml describes: {said[:300]}") from error
