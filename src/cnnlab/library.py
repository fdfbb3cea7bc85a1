"""What a program of yours calls: networks by name, and training; `load_run` is inference/trained.py's."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from cnnlab import conf
from cnnlab.build import starting_network
from cnnlab.cell import cell_name, resolved
from cnnlab.check import check
from cnnlab.errors import UserError, require_one_of
from cnnlab.explain import explain
from cnnlab.inference.trained import Trained, load_run
from cnnlab.launch.cell import train_cell
from cnnlab.override_words import Overrides, words_of
from cnnlab.run import Config
from cnnlab.zoo import card

OF_DATA = ("in_channels", "num_classes", "image_size")  # told by the data set in training


def create_model(
    name: str,
    *,
    num_classes: int | None = None,
    in_channels: int | None = None,
    image_size: int | None = None,
    regularizer: str | Sequence[str] | Mapping[str, Any] = "paper",
    seed: int = 0,
    **model: Any,
) -> nn.Module:
    """A network of conf/model, or of a conf/model beside your program, by its name.

    What is not said is as in its paper: create_model("resnet50") takes [N, 3, 224, 224] and gives [N, 1000].

    Args:
        name: as in `cnnlab models`.
        num_classes: K, outputs.
        in_channels: C, 1 for grey images, 3 for RGB.
        image_size: S, pixels a side.
        regularizer: choices as on the command line, "none" or ["none", "dropout"], or values: {"norm": "batch"}.
        seed: draws the weights; torch's own random numbers are left as they are.
        model: keys of model.*, as width=0.5, activation="gelu", weights="imagenet".

    Returns:
        In training mode: float32 [N, C, S, S] -> logits [N, K]. Networks with auxiliary heads give
        (logits, *auxiliary) while they train.

    Raises:
        UserError: there is no such network, it has no such key, or a value is not allowed.

    Example:
        >>> net = create_model("resnet20", num_classes=10, in_channels=1, image_size=28)
        >>> net(torch.zeros(2, 1, 28, 28)).shape
        torch.Size([2, 10])
    """
    require_one_of("create_model name", name, conf.choices("model"))
    about = card(name)
    paper = {} if about is None else dict(zip(OF_DATA, (about.image[0], about.classes, about.image[1]), strict=True))
    said = {"in_channels": in_channels, "num_classes": num_classes, "image_size": image_size}
    shape = paper | {key: value for key, value in said.items() if value is not None}
    values = regularizer if isinstance(regularizer, Mapping) else {}
    overrides: Config = {
        "model": name,
        "seed": seed,
        "regularizer": "paper" if isinstance(regularizer, Mapping) else regularizer,
        **{f"datamodule.{key}": value for key, value in shape.items()},
        **{f"model.{key}": value for key, value in model.items()},
        **{f"regularizer.{key}": value for key, value in values.items()},
    }
    channels = shape.get("in_channels")
    if isinstance(channels, int) and channels > 0:  # else `check` says so
        overrides |= {"datamodule.mean": [0.5] * channels, "datamodule.std": [0.5] * channels}
    with in_words():
        config = composed(words_of(overrides))[0]
        return starting_network(config)[0]


@dataclass(frozen=True)
class Fitted:
    """What a training came to.

    Attributes:
        folder: of the run, which every command of cnnlab takes.
        result: of result.json: metrics, cost, per_class, data, environment.
    """

    folder: Path
    result: Config

    @property
    def metrics(self) -> dict[str, float]:
        """As "val/accuracy", "test/accuracy", "test/loss"."""
        metrics: dict[str, float] = self.result["metrics"]
        return metrics

    def load(self) -> Trained:
        """The trained network, as `load_run` gives it."""
        return load_run(self.folder)


def fit(*overrides: Overrides) -> Fitted:
    """Trains one run, like `cnnlab train` with the same words, into the same folder.

    The same words with the same study go on with it, or give its result if it is done. Messages go to the run's
    train.log and, if your program sets up logging, wherever it says; "callbacks=quiet" leaves out the progress bar.

    Args:
        overrides: words as "model=resnet20", or mappings, nested or with dotted keys: {"optim": {"lr": 0.1}},
            {"optim.lr": 0.1}; of words for the same key the last one holds.

    Raises:
        UserError: a word, or what they say together, is not allowed; the data are not there; another process trains
            in that folder. Diverged, one of them: the loss is no number any more.

    Example:
        >>> fitted = fit("model=lenet5", {"trainer.max_epochs": 3, "study": "digits"})
        >>> fitted.metrics["test/accuracy"], fitted.folder

    Random seeds of Python, NumPy and torch are set, as training does. With trainer.devices from 2 on, processes are
    spawned: call it below `if __name__ == "__main__":`.
    """
    words = words_of(*overrides)
    with in_words(), ExitStack() as closing:
        config, folder = composed(words)
        closing.enter_context(logged(folder))
        result = train_cell(config, folder, words)
        if result is None:
            raise UserError("fit: this process is none that has the result; torchrun starts `cnnlab train`")
    return Fitted(folder, result)


def composed(words: Sequence[str]) -> tuple[Config, Path]:
    """The configuration that these overrides of `cnnlab train` give, checked, and the folder that its run has.

    Raises:
        UserError: it is not legal, or a sweep.
    """
    if sweep := [word for word in words if word.startswith(("-", "hydra", "ablation", "tune"))]:
        raise UserError(f"{sweep[0]}: fit trains one run; call it for each, or take cnnlab train -m")
    conf.refuse_lists(words)
    conf.register(words)
    cfg = conf.composition(*words)
    config = resolved(cfg)
    check(config)
    return config, Path(config["runs_dir"], config["study"], cell_name(cfg))


@contextmanager
def in_words() -> Iterator[None]:
    """Errors of the configuration's readers become UserErrors that name the culprit, as the command line tells them."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        words = explain(error)
        if words is None:
            raise
        raise UserError(words) from error


@contextmanager
def logged(folder: Path) -> Iterator[None]:
    """What the program logs goes to the run's train.log, too."""
    folder.mkdir(parents=True, exist_ok=True)
    file = logging.FileHandler(folder / "train.log", encoding="utf-8")
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    log = logging.getLogger("cnnlab")
    before = log.level
    log.addHandler(file)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.setLevel(before)
        log.removeHandler(file)
        file.close()
