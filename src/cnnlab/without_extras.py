"""To be imported before Lightning: keeps torchmetrics from importing SciPy and matplotlib, for nothing.

torchmetrics, which Lightning imports, takes both wherever they are installed, for metrics of sound and for plots. That
is a fifth to a third of the time to a first step, and 60 MB of each process.
"""

from importlib.metadata import PackageNotFoundError
from typing import Any

from lightning_utilities.core import imports

NOT_FOR_TORCHMETRICS = ("scipy", "matplotlib")
asked = {name: getattr(imports, name) for name in ("package_available", "module_available", "_version")}


def package_available(package_name: str) -> bool:
    """Whether torchmetrics and Lightning are to take a package."""
    return package_name not in NOT_FOR_TORCHMETRICS and bool(asked["package_available"](package_name))


def module_available(module_path: str) -> bool:
    """Whether they are to take a module."""
    return module_path.split(".")[0] not in NOT_FOR_TORCHMETRICS and bool(asked["module_available"](module_path))


def _version(name: str) -> Any:
    if name in NOT_FOR_TORCHMETRICS:
        raise PackageNotFoundError(name)
    return asked["_version"](name)


for replacement in (package_available, module_available, _version):
    setattr(imports, replacement.__name__, replacement)
