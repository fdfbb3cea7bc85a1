"""cnnlab: compare classic CNNs honestly, one recipe ingredient at a time.

>>> from cnnlab import create_model, fit, load_run

create_model: a network by its name. fit: trains one run, like `cnnlab train`. load_run: a trained network with its
preprocessing. What they raise for what you can mend is a UserError.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from cnnlab.errors import UserError

if TYPE_CHECKING:
    from cnnlab.inference.trained import Trained, load_run
    from cnnlab.library import Fitted, create_model, fit

__version__ = "0.1.0"
__all__ = ["Fitted", "Trained", "UserError", "create_model", "fit", "load_run"]

if not TYPE_CHECKING:  # a type checker that saw it would believe in every name
    HOMES = {name: "cnnlab.library" for name in __all__ if name != "UserError"}

    def __getattr__(name: str) -> object:
        """Imported when it is asked for (PEP 562): torch takes seconds."""
        if name not in HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(HOMES[name]), name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
