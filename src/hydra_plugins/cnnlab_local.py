"""Hydra's launchers on this machine; Hydra takes plugins from this name space only."""

from cnnlab.launch.local import Local
from cnnlab.launch.planning import Planning


class LocalLauncher(Local):
    """hydra/launcher=local."""


class PlanLauncher(Planning):
    """hydra/launcher=plan, of `cnnlab plan`."""
