"""Whether W&B's server can be used, found out in seconds."""

import json
import netrc
import os
import ssl
from base64 import b64encode
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import wandb

from cnnlab.loggers.within import within

PATIENCE = 3.0  # seconds for an answer, all together: names that do not resolve and servers that are silent, too


def why_offline() -> str | None:
    """What keeps W&B from being used online, in words, or None."""
    if mode() != "online":
        return f"WANDB_MODE={mode()}"
    settings = wandb.setup().settings
    if settings.identity_token_file:
        return None  # W&B knows how to turn it into a key
    server = settings.base_url
    key = settings.api_key or _in_netrc(server)
    if not key:
        return "no key: wandb login"
    return within(PATIENCE, lambda: _refusal(server, key), f"{server} has not answered for {PATIENCE:g} seconds")


def mode() -> str:
    """online, offline or disabled: what WANDB_MODE, or `wandb offline`, says."""
    told = str(wandb.setup().settings.mode)
    return {"dryrun": "offline", "run": "online"}.get(told, told)


def _refusal(server: str, key: str) -> str | None:
    """Why it does not know the key's owner, who is asked for as W&B does before anything else."""
    told = b64encode(f"api:{key}".encode()).decode()
    headers = {"Authorization": f"Basic {told}", "Content-Type": "application/json", "User-Agent": "cnnlab"}
    question = json.dumps({"query": "query Viewer { viewer { id } }"}).encode()
    try:
        with urlopen(Request(f"{server}/graphql", question, headers), timeout=2 * PATIENCE) as reply:
            answer: Any = json.loads(reply.read())
        known = answer["data"]["viewer"] is not None
    except HTTPError as error:
        return f"{server} answers {error.code} {error.reason}"
    except (URLError, OSError) as error:
        if isinstance(getattr(error, "reason", None), ssl.SSLCertVerificationError):
            return None  # W&B may trust other authorities than Python does
        return f"no connection to {server}: {getattr(error, 'reason', error)}"
    except (ValueError, KeyError, TypeError):
        return f"{server} is no W&B server"
    return None if known else f"{server} does not know the key: wandb login --relogin"


def _in_netrc(server: str) -> str | None:
    """The key that `wandb login` has left."""
    try:
        found = netrc.netrc(os.environ.get("NETRC")).authenticators(urlsplit(server).netloc)
    except (OSError, netrc.NetrcParseError):
        return None
    return found[2] if found else None
