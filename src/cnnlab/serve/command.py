"""`cnnlab serve`: says where the page is, and serves it until it is stopped."""

import logging
import socket
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

from cnnlab.errors import UserError
from cnnlab.inference.words import folder, number, parsed

KEYS = {"run": "", "host": "127.0.0.1", "port": "8000"}
NEEDED = ("starlette", "uvicorn", "matplotlib", "captum")
AT_ONCE = 32  # requests; more are told to come again
GRACE = 3  # seconds that requests have to end when the server is stopped


def serve(words: Sequence[str]) -> None:
    """Ends with a signal only: 130 after Ctrl-C, 143 after SIGTERM.

    Raises:
        UserError: a word or the run cannot be used, a package is missing, or the port is taken.
    """
    keys, others = parsed("serve", words, KEYS)
    if others:
        raise UserError(f"serve {others[0]}: there is no such key. There are: {', '.join(KEYS)}")
    port = 0 if keys["port"] == "0" else number("serve", "port", keys["port"])
    if port > 65535:
        raise UserError(f"serve port={port}: it must be at most 65535; 0 takes one that is free")
    if missing := [package for package in NEEDED if find_spec(package) is None]:
        raise UserError(f"serve needs {' and '.join(missing)}: pip install 'cnnlab[serve]'")
    from cnnlab.serve.hosts import is_loopback

    run, host = folder("serve", keys["run"]), keys["host"]
    loopback = is_loopback(host)
    with listening(host, port) as at:  # before what takes seconds
        app = app_for(run, host, loopback)
        shown = f"[{host}]" if ":" in host else host
        if not loopback:
            print(
                f"WARNING: host={host} lets everyone who reaches this machine use the network and see the examples; "
                "there is no password and no encryption. Leave host= out to serve this machine alone.",
                flush=True,
            )
        print(f"http://{shown}:{at.getsockname()[1]}/      Ctrl-C ends it", flush=True)
        server_of(app).run(sockets=[at])


def listening(host: str, port: int) -> socket.socket:
    """Taken at once, so that two servers do not share a port.

    Raises:
        UserError: it is taken, or not ours to take.
    """
    family, _, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    taken = socket.socket(family, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind(where)
        taken.listen()
    except OSError as error:
        taken.close()
        raise UserError(f"serve host={host} port={port}: {error.strerror}; port=0 takes one that is free") from error
    return taken


def app_for(run: Path, host: str, loopback: bool) -> Any:
    """The application for a run.

    Raises:
        UserError: it cannot be loaded.
    """
    import torch

    from cnnlab.inference.trained import load_run
    from cnnlab.look.subject import Subject
    from cnnlab.serve.answer import Answerer
    from cnnlab.serve.app import app_of
    from cnnlab.serve.examples import MOST, examples_of
    from cnnlab.serve.upload import MOST_BYTES

    trained = load_run(run)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    subject = Subject(run, trained.config, trained.net.to(device), trained.data, device, MOST)
    about = {
        "name": subject.name,
        "folder": run.name,
        "accuracy": trained.metrics.get("test/accuracy"),
        "classes": trained.names,
        "channels": trained.data.in_channels,
        "size": trained.data.image_size,
        "most_bytes": MOST_BYTES,
    }
    return app_of(Answerer(subject, trained.names, Lock()), examples_of(subject), about, host, loopback)


def server_of(app: Any) -> Any:
    """What serves the application; signals end it when the requests under way have ended, and then reach the handlers
    that were there before.
    """
    import uvicorn

    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nobody stands between
        lifespan="off",
        ws="none",
        limit_concurrency=AT_ONCE,
        timeout_graceful_shutdown=GRACE,
    )
    return uvicorn.Server(config)
