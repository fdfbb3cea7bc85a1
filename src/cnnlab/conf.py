"""Where configuration comes from: cnnlab's own conf/, and a conf/ in the folder where the user is."""

import os
import re
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from textwrap import fill
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.plugins import Plugins
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import DictConfig, OmegaConf

from cnnlab.allowed import allow
from cnnlab.cell import cell_name, resolved
from cnnlab.errors import UserError, require_one_of
from cnnlab.hydra_node import guard
from cnnlab.launch.places import gpus_here
from cnnlab.secrets import readable
from cnnlab.sweep.arguments import is_sweep

LISTS = ("regularizer", "callbacks", "logger")  # groups whose choices compose


def conf_folder() -> Path:
    """cnnlab's own: inside an installed package, or at the top of a checkout."""
    package = Path(__file__).parent
    return package / "conf" if (package / "conf").is_dir() else package.parents[1] / "conf"


def choices(group: str) -> list[str]:
    """What can be chosen in a group, the user's own included, without the files that others build on."""
    folders = [conf_folder() / group, Path("conf", group)]
    return sorted({path.stem for folder in folders for path in folder.glob("[!_]*.yaml")})


def composed(*overrides: str) -> dict[str, Any]:
    """The configuration of `cnnlab train` with these overrides, as plain values; after `register`."""
    return resolved(composition(*overrides))


def composition(*overrides: str) -> DictConfig:
    """The same, unresolved."""
    with initialize_config_dir(str(conf_folder()), version_base="1.3"):
        return compose("train", list(overrides))


def chosen(group: str, *overrides: str) -> str:
    """What `cnnlab train` with these overrides takes for a group, whoever chose it."""
    with initialize_config_dir(str(conf_folder()), version_base="1.3"):
        config = compose("train", list(overrides), return_hydra_config=True)
    return str(config.hydra.runtime.choices[group])


class ConfBeside(SearchPathPlugin):
    """Adds ./conf, so that `model=mine` finds ./conf/model/mine.yaml."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        beside = Path("conf").absolute()
        if beside.is_dir() and beside != conf_folder():
            refuse_hidden(beside)
            search_path.append("beside", f"file://{beside}")


def refuse_hidden(folder: Path) -> None:
    """Raises a UserError if a file there is no text, or has the name, but not the content, of one of cnnlab's, which it
    would hide.
    """
    for path in sorted(folder.rglob("*.yaml")):
        try:
            path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise UserError(f"{path} is no text in UTF-8: {error.reason} at byte {error.start}") from error
        own = conf_folder() / path.relative_to(folder)
        if own.is_file() and own.read_bytes() != path.read_bytes():
            raise UserError(f"{path} has the name of one of cnnlab's own files, which would hide it; rename it")


def count_classes(folder: str) -> int:
    """For data whose number of classes is only known from its files."""
    from cnnlab.data.folder import class_folders  # imports Pillow

    return len(class_folders(folder))


def count_csv_classes(source: DictConfig) -> int:
    """The same for a table of images, told by the keys of its source."""
    from cnnlab.data.class_csv import csv_classes  # imports numpy

    return len(csv_classes(*(source[key] for key in ("file", "path_column", "class_column", "split_column"))))


def share_of_epochs(share: float, *, _root_: DictConfig) -> int:
    """That share of trainer.max_epochs, at least one."""
    return max(1, round(share * int(_root_.trainer.max_epochs)))


def epochs_of_steps(steps: Any, *, _root_: DictConfig) -> int:
    """See budget.py."""
    from cnnlab import budget  # imports numpy

    return budget.epochs_of_steps(steps, _root_)


def steps_of_flops(amount: Any, *, _root_: DictConfig) -> int:
    """See budget.py."""
    from cnnlab import budget

    return budget.steps_of_flops(amount, _root_)


def devices_here(accelerator: str, batch_size: int, alone: bool) -> int:
    """As many GPUs as there are, or of them as many as can share a batch equally; one for a CPU.

    alone: whether nothing else wants them; the cells of a sweep take one each, so that several run at once.
    """
    if not alone or accelerator == "cpu" or len(gpus_here(dict(os.environ))) < 2:
        return 1
    import torch  # takes seconds, and knows whether it can use them

    return next((devices for devices in range(torch.cuda.device_count(), 0, -1) if batch_size % devices == 0), 1)


def switch(key: str, cases: DictConfig, *, _root_: DictConfig) -> Any:
    """What goes with another key's value: the case of that name, or the one called 'else'.

    Raises:
        UserError: no case has that name.
    """
    value = str(OmegaConf.select(_root_, key))
    if "else" not in cases:
        require_one_of(key, value, cases)
    return cases[value] if value in cases else cases["else"]


def as_root_keys(arguments: Sequence[str]) -> list[str]:
    """study.on_code_change=... as on_code_change=...: what is said of a study, whose key is its name."""
    return [re.sub(r"^(\+{0,2})study\.on_code_change=", r"\1on_code_change=", argument) for argument in arguments]


def refuse_lists(arguments: Sequence[str]) -> None:
    """Raises a UserError for model=[a,b]: Hydra would merge the two into one that nobody meant."""
    for argument in arguments:
        group, _, value = argument.partition("=")
        if value.startswith("[") and group not in LISTS and choices(group):
            plain = value.strip("[]")
            raise UserError(f"{argument}: {group} takes one choice. To train each of them: -m {group}={plain}")


def groups() -> list[str]:
    """All but Hydra's own."""
    return sorted(path.name for path in conf_folder().iterdir() if path.is_dir() and path.name != "hydra")


def table_of_choices() -> str:
    """A line for each group, or several, of 80 columns."""
    indents = {"initial_indent": "  ", "subsequent_indent": "      ", "break_on_hyphens": False}
    lines = (fill(f"{group}: {' '.join(choices(group))}", 80, **indents) for group in groups())  # type: ignore[arg-type]
    return "\n".join(lines)


def register(arguments: Sequence[str] = ()) -> None:
    """Makes Hydra know the resolvers and plugins that conf/ uses; before any composition.

    Raises:
        UserError: a file in the user's --config-dir would be hidden by one of ours, or allowed_packages is no list.
    """
    allow(arguments)
    guard(arguments)
    for option, value in pairwise(arguments):
        if option in ("--config-dir", "-cd") and Path(value).is_dir():
            refuse_hidden(Path(value))
    OmegaConf.register_new_resolver("cell", lambda *, _root_: cell_name(_root_), replace=True)
    OmegaConf.register_new_resolver("share_of_epochs", share_of_epochs, replace=True)
    OmegaConf.register_new_resolver("class_folders", count_classes, replace=True)
    OmegaConf.register_new_resolver("csv_classes", count_csv_classes, replace=True)
    OmegaConf.register_new_resolver("epochs_of_steps", epochs_of_steps, replace=True)
    OmegaConf.register_new_resolver("steps_of_flops", steps_of_flops, replace=True)
    here = partial(devices_here, alone=not is_sweep(arguments))
    OmegaConf.register_new_resolver("devices_here", here, replace=True)
    OmegaConf.register_new_resolver("switch", switch, replace=True)
    OmegaConf.register_new_resolver("oc.env", readable, replace=True)
    Plugins.instance().register(ConfBeside)
