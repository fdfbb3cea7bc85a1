"""A trained network, rebuilt from the folder of its run."""

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import OmegaConf
from torch import Tensor, nn

from cnnlab.build import build_data, build_network
from cnnlab.check import check, check_ranges
from cnnlab.checkpoint_parts import BEST
from cnnlab.checkpoints import UNREADABLE, WholeFiles
from cnnlab.conf import conf_folder
from cnnlab.data.datamodule import ImageData
from cnnlab.data.resize import fit_to
from cnnlab.errors import UserError, require_count
from cnnlab.inference.picture import Picture, pixels_of
from cnnlab.levers import levers_in
from cnnlab.run import Config, Run
from cnnlab.study.config import read_config


@dataclass(frozen=True)
class Trained:
    """A trained network with all that its use takes.

    Attributes:
        folder: of the run.
        config: what it was trained with, as nested dictionaries.
        net: with its best weights, in eval mode: [N, C, S, S] -> logits [N, K].
        classes: their names, in the order of the outputs; empty if no test told them.
        metrics: of result.json, as "test/accuracy"; empty for a run that is not done.
    """

    folder: Path
    config: Config
    net: nn.Module
    classes: list[str]
    metrics: dict[str, float]

    @property
    def names(self) -> list[str]:
        """Of the K classes; numbers where no test has told them."""
        return self.classes or [str(label) for label in range(self.config["model"]["num_classes"])]

    @cached_property
    def data(self) -> ImageData:
        """Its data set, of which nothing is read before it is asked for."""
        return build_data(self.config)

    def preprocess(self, images: Iterable[Picture]) -> Tensor:
        """Images as the network was tested on: files, Pillow's images, or uint8 arrays [H, W] or [H, W, channels].

        Returns:
            float32 [N, C, S, S], resized and normalised, on the network's device.

        Raises:
            UserError: one of them is no image, or there is none.
        """
        if isinstance(images, str | Path) or (isinstance(images, np.ndarray) and images.ndim != 4):
            raise UserError("images: several are wanted; put a single one in a list, as predict(['photo.jpg'])")
        fitted = [fit_to(pixels_of(image, self.data.in_channels), self.data.image_size) for image in images]
        if not fitted:
            raise UserError("images: there is none")
        device = next(self.net.parameters()).device
        return self.data.normalize(torch.from_numpy(np.stack(fitted)).permute(0, 3, 1, 2).to(device))

    def probabilities(self, images: Iterable[Picture]) -> Tensor:
        """Of each class [N, K], on the CPU; images as `preprocess` takes them, which are held in memory at once."""
        with torch.inference_mode():
            probabilities: Tensor = self.net(self.preprocess(images)).float().softmax(dim=1).cpu()
        return probabilities

    def predict(self, images: Iterable[Picture], top: int = 5) -> list[list[tuple[str, float]]]:
        """For each image, its likeliest classes with their probabilities, the likeliest first.

        Raises:
            UserError: as `preprocess`, or top is no whole number from 1 on.

        Example:
            >>> load_run("runs/digits/lenet5").predict(["seven.png"], top=2)
            [[('7', 0.98), ('1', 0.01)]]
        """
        require_count("top", top)
        best = self.probabilities(images).topk(min(top, len(self.names)))
        rows = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        return [[(self.names[label], share) for label, share in zip(*row, strict=True)] for row in rows]


def load_run(folder: str | Path) -> Trained:
    """The best network of a run, on the CPU; nothing in its files is executed but what its configuration names.

    A network of a package of yours: name it in the environment, CNNLAB_ALLOWED_PACKAGES=mynets.

    Raises:
        UserError: it is no run's folder, has no best weights yet, or they cannot be read.

    Example:
        >>> run = load_run("runs/digits/lenet5")
        >>> run.metrics["test/accuracy"], run.names
        >>> run.net(run.preprocess(["a.png", "b.png"]))  # logits [2, 10]
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
