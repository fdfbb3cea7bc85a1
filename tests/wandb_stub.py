"""As much of a W&B server as a run needs, in this process; it can fall silent."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

VIEWER = {"id": "u", "entity": "me", "username": "me", "email": "", "flags": "{}", "teams": {"edges": []}}
FEATURES: dict[str, Any] = {"serverInfo": {"features": []}}


class Stub:
    """upserts: what runs were created or changed with. streamed: names of files, with their lines."""

    def __init__(self) -> None:
        self.upserts: list[dict[str, Any]] = []
        self.questions: list[str] = []
        self.streamed: dict[str, list[str]] = {}
        self.exit_codes: list[int] = []
        self.silent = threading.Event()
        self.ended = threading.Event()
        self.address = ""

    def answer(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if path.endswith("/file_stream"):
            for name, part in body.get("files", {}).items():
                self.streamed.setdefault(name, []).extend(part["content"])
            if "exitcode" in body:
                self.exit_codes.append(body["exitcode"])
            return {}
        query, values = body.get("query", ""), body.get("variables") or {}
        self.questions.append(body.get("operationName") or query.split()[1])
        data: dict[str, Any] = {}
        if "viewer" in query:
            data = {"viewer": VIEWER}
        elif "serverInfo" in query:
            data = FEATURES
        elif "createRunFiles" in query:
            files = [{"name": name, "uploadUrl": f"{self.address}/upload/{name}"} for name in values["files"]]
            data = {"createRunFiles": {"runID": "b", "uploadHeaders": [], "files": files}}
        elif "upsertBucket" in query:
            self.upserts.append(values)
            project = {"id": "p", "name": values.get("project"), "entity": {"id": "e", "name": "me"}}
            told = {key: values.get(key) for key in ("name", "displayName", "config")}
            bucket = {"id": "b", "description": None, "sweepName": None, "historyLineCount": 0, **told}
            data = {"upsertBucket": {"bucket": {**bucket, "project": project}, "inserted": True}}
        return {"data": data}


@contextmanager
def stub() -> Iterator[Stub]:
    """One that listens."""
    told = Stub()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Nothing."""

        def reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if told.silent.is_set():
                told.ended.wait(120)
                return
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            is_json = self.path.endswith(("/graphql", "/file_stream"))
            text = json.dumps(told.answer(self.path, json.loads(body)) if is_json else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = reply  # noqa: N815

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    told.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield told
    finally:
        told.ended.set()
        server.shutdown()
        server.server_close()
