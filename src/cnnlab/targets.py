"""What the configuration's `_target_`s make."""

import inspect
from functools import partial
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate

from cnnlab.errors import UserError
from cnnlab.run import Config


def make(group: str, config: Config, **more: Any) -> Any:
    """What the group's `_target_` makes of its keys and of what only the program knows.

    Raises:
        UserError: the target does not exist, does not take these keys, or refuses their values.
    """
    target = config["_target_"]
    try:
        # the call is ours: Hydra would turn a dataclass among the arguments into a configuration
        prepared = instantiate({**config, "_partial_": True}, _convert_="all")
        later = config.get("_partial_", False)
        inspect.signature(prepared.func).bind_partial(*prepared.args, **prepared.keywords, **more)
    except (InstantiationException, TypeError) as error:
        raise UserError(f"{group}: {target}: {error.__cause__ or error}") from error
    return partial(prepared, **more) if later else prepared(**more)
