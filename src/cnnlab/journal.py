"""Optuna's memory of a search: a file that many processes append to."""

from pathlib import Path
from typing import Any

from cnnlab.errors import UserError


def journal(file: Path) -> Any:
    """What a killed process began to write there is ignored.

    Raises:
        UserError: Optuna is not installed.
    """
    try:
        import optuna
        from optuna.storages.journal import JournalFileBackend
    except ImportError as error:
        raise UserError("ablation.search.kind=optuna needs Optuna: pip install 'cnnlab[search]'") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    file.parent.mkdir(parents=True, exist_ok=True)
    return optuna.storages.JournalStorage(JournalFileBackend(str(file)))
