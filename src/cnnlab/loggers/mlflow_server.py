"""Whether MLflow's server answers, found out in seconds; and how long it is waited for later."""

import logging
import os
import socket
import ssl
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from cnnlab.loggers.within import within

PATIENCE = 4.0  # seconds for an answer, all together: names that do not resolve and servers that are silent, too
# MLflow's own: two minutes, eight times. Whoever has set them is obeyed
LIMITS = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "5", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}


def require_answer(uri: str | None) -> None:
    """Raises a ConnectionError if it is a server's address, and nobody answers there."""
    parts = urlsplit(uri or "")
    if not parts.hostname or parts.scheme not in ("http", "https"):
        return  # a file, or a database, or what MLflow finds the address of
    for name, value in LIMITS.items():
        os.environ.setdefault(name, value)
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)  # it would tell of each retry
    where = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    address = f"{where}{parts.path.rstrip('/')}/health"
    silent = f"{where} has not answered for {PATIENCE:g} seconds"
    if problem := within(PATIENCE, lambda: _problem(where, address), silent):
        raise ConnectionError(problem)


def _problem(where: str, address: str) -> str | None:
    try:
        urlopen(address, timeout=2 * PATIENCE).close()
    except HTTPError:
        return None  # somebody is there; whether he lets us in, MLflow will see
    except (OSError, socket.gaierror, ValueError) as error:
        reason = error.reason if isinstance(error, URLError) else error
        if isinstance(reason, ssl.SSLCertVerificationError):
            return None  # MLflow may trust other authorities than Python does
        return f"no connection to {where}: {reason}"
    return None
