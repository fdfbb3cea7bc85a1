"""What the configuration's `_target_`s make."""

import inspect
from functools import partial
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import get_object, instantiate

from cnnlab.allowed import packages, require_name, targets_in
from cnnlab.errors import UserError
from cnnlab.run import Config

# Classes that may be made, by a class above them. By name: importing them all takes seconds.
KINDS = {
    "torch.nn.modules.module.Module",
    "torch.optim.optimizer.Optimizer",
    "torchmetrics.metric.Metric",
    "lightning.pytorch.trainer.trainer.Trainer",
    "lightning.pytorch.callbacks.callback.Callback",
    "lightning.pytorch.core.datamodule.LightningDataModule",
    "albumentations.core.transforms_interface.BasicTransform",
    "albumentations.core.composition.BaseCompose",
}
FUNCTIONS = ("cnnlab.models.", "cnnlab.schedules", "cnnlab.loggers.")  # modules whose functions are made to be named
SOURCES = "cnnlab.data."  # modules with sources, which have no class above them in common


def make(group: str, config: Config, **more: Any) -> Any:
    """What the group's `_target_` makes of its keys and of what only the program knows.

    Raises:
        UserError: the target does not exist, may not be called, does not take these keys, or refuses their values.
    """
    target = config["_target_"]
    for path, name in targets_in(config, group):
        require_name(path, name)
        try:
            require_kind(path, name, get_object(name))
        except (ImportError, ValueError, InstantiationException) as error:
            raise UserError(f"{path}: {name}: {error.__cause__ or error}") from error
    try:
        # the call is ours: Hydra would turn a dataclass among the arguments into a configuration
        prepared = instantiate({**config, "_partial_": True}, _convert_="all")
        later = config.get("_partial_", False)
        inspect.signature(prepared.func).bind_partial(*prepared.args, **prepared.keywords, **more)
    except (InstantiationException, TypeError) as error:
        raise UserError(f"{group}: {target}: {error.__cause__ or error}") from error
    return partial(prepared, **more) if later else prepared(**more)


def require_kind(path: str, name: str, found: Any) -> None:
    """Raises a UserError if a name that looks right stands for something else, as torch.nn.modules.os.system does."""
    home = getattr(found, "__module__", None) or ""
    if home.partition(".")[0] in packages() and callable(found):
        return
    if inspect.isclass(found):
        above = {f"{base.__module__}.{base.__qualname__}" for base in found.__mro__}
        source = home.startswith(SOURCES) and {"prepare", "read"} <= set(dir(found))
        if source or not above.isdisjoint(KINDS):
            return
    elif inspect.isfunction(found) and home.startswith(FUNCTIONS) and found.__name__ == found.__qualname__:
        return
    what = f"{home}.{getattr(found, '__qualname__', type(found).__qualname__)}"
    raise UserError(
        f"{path}._target_={name} is not run: it is {what}, and no network, optimizer, metric, trainer, callback, data "
        "set, transform, schedule or logger"
    )
