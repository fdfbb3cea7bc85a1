"""A run that is served in this process, and requests to it."""

import http.client
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import Any

import numpy as np
from PIL import Image

from cnnlab.serve.command import app_for, listening, server_of


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Served:
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, path: str, body: bytes | None = None, **headers: str) -> Reply:
        """POST where there is a body, else GET."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET" if body is None else "POST", path, body, headers)
            answer = connection.getresponse()
            return Reply(answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()


@contextmanager
def serving(run: Path) -> Iterator[Served]:
    """Until the block ends."""
    with listening("127.0.0.1", 0) as at:
        server = server_of(app_for(run, "127.0.0.1", loopback=True))
        thread = Thread(target=server.run, kwargs={"sockets": [at]})
        thread.start()
        until = monotonic() + 60
        while not server.started and thread.is_alive() and monotonic() < until:
            sleep(0.01)
        try:
            yield Served(at.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(timeout=60)
    assert not thread.is_alive()


def encoded(pixels: Any, kind: str = "PNG") -> bytes:
    """A file with these pixels."""
    stream = io.BytesIO()
    Image.fromarray(np.asarray(pixels, np.uint8)).save(stream, kind)
    return stream.getvalue()
