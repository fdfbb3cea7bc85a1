"""What a configuration may name to be called: a YAML file that someone shares must not be able to run code.

Names are looked at here, before anything is imported; targets.py looks at what they turn out to be.
"""

import os
import re
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from cnnlab.errors import UserError

KEY = "allowed_packages"
VARIABLE = "CNNLAB_ALLOWED_PACKAGES"
# by the group where a `_target_` stands, with all that lies below
PLACES = {
    "model": ("cnnlab.models.", "torch.nn."),
    "optim": ("torch.optim.",),
    "scheduler": ("cnnlab.schedules.",),
    "trainer": ("lightning.Trainer", "lightning.pytorch.Trainer"),
    "callbacks": ("cnnlab.callbacks.", "lightning.pytorch.callbacks."),
    "logger": ("cnnlab.loggers.",),
    "datamodule": ("cnnlab.data.",),
    "augment": ("albumentations.", "cnnlab.data."),
}
INSIDE = ("torch.nn.", "torchmetrics.", "albumentations.")  # as an argument of another


def packages() -> frozenset[str]:
    """Those that the user allows beyond the ones above; nothing that a YAML file says is among them."""
    return frozenset(filter(None, re.split(r"[\s,:]+", os.environ.get(VARIABLE, "")))) - sys.stdlib_module_names


def allow(arguments: Sequence[str]) -> None:
    """Takes allowed_packages=... of a command line into the environment, where the cells' processes find it.

    Whoever allows packages has them found in the working directory, too, as `python -m` would.

    Raises:
        UserError: it is no list of names of packages.
    """
    for argument in arguments:
        key, _, value = argument.partition("=")
        if key.lstrip("+") == KEY:
            names = [name for name in re.split(r"[\s,\[\]'\"]+", value) if name]
            if odd := [name for name in names if not name.isidentifier() or name in sys.stdlib_module_names]:
                raise UserError(
                    f"{argument}: {odd[0]} is no package of yours. It can be, say, 'mynets' for mynets.resnet.Wide"
                )
            os.environ[VARIABLE] = ",".join(sorted({*packages(), *names}))
    here = str(Path.cwd())
    if packages() and here not in sys.path:  # last, so that nothing there hides what is installed
        sys.path.append(here)


def require_allowed(config: dict[str, Any]) -> None:
    """Looks at every `_target_` of a resolved configuration.

    Raises:
        UserError: one may not be called where it stands, or a YAML file allows packages.
    """
    told = config.get(KEY) or []
    named = [told] if isinstance(told, str) else told
    if not isinstance(named, list) or not packages().issuperset(map(str, named)):
        raise UserError(
            f"{KEY}={told}: a file cannot allow packages. Say it on the command line, or with {VARIABLE} in the "
            "environment, if you trust their code"
        )
    for path, target in targets_in(config):
        require_name(path, target)


def targets_in(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every `_target_` with the path of its node, outermost first.

    Raises:
        UserError: a value would be resolved once more, and might then hold others.
    """
    waiting = [(path, value)]
    while waiting:
        at, node = waiting.pop()
        if isinstance(node, dict):
            if "_target_" in node:
                yield at, node["_target_"]
            waiting += [(f"{at}.{key}" if at else str(key), item) for key, item in reversed(node.items())]
        elif isinstance(node, list):
            waiting += [(f"{at}.{number}", item) for number, item in enumerate(node)]
        elif isinstance(node, str) and "${" in node:
            raise UserError(f"{at}={node}: a value must not hold another ${{...}} when it is resolved")


def require_name(path: str, target: Any) -> None:
    """Raises a UserError unless what stands there may have that name."""
    if not isinstance(target, str) or not re.fullmatch(r"[A-Za-z]\w*(\.[A-Za-z]\w*)+", target):
        raise UserError(
            f"{path}._target_={target}: it must be the full name of a class or function, as torch.optim.SGD"
        )
    package = target.partition(".")[0]
    if package in packages():
        return
    begins = (*PLACES.get(path.partition(".")[0], ()), *(INSIDE if path not in PLACES else ()))
    if not target.startswith(begins) or (path == "trainer" and target not in PLACES["trainer"]):
        raise refused(path, target, begins, package)


def refused(path: str, target: str, begins: Collection[str], package: str) -> UserError:
    """What is said about a name that may not stand there."""
    known = {begin.partition(".")[0] for place in PLACES.values() for begin in place}
    legal = ", ".join(f"{begin}*" if begin.endswith(".") else begin for begin in begins)
    words = f"{path}._target_={target} is not run: there it may be {legal}"
    if package in known or package in sys.stdlib_module_names:
        return UserError(words)
    return UserError(f"{words}, or of a package whose code you trust: {KEY}={package} on the command line")
