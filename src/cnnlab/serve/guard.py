"""What stands before every answer: who may ask, and what browsers are told about the page."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cnnlab.serve.hosts import may_be_called

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Guard:
    """ASGI: refuses requests by another name, or from another site's page; adds HEADERS to every answer."""

    def __init__(self, app: ASGIApp, host: str, loopback: bool) -> None:
        self.app = app
        self.host = host
        self.loopback = loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        asked = Headers(scope=scope)
        app = self.app if self.welcome(asked) else JSONResponse({"error": "This server has another name."}, 403)
        await app(scope, receive, with_headers)

    def welcome(self, asked: Headers) -> bool:
        """Whether the request is for us, and from our own page or from none."""
        called = asked.get("host", "")
        ours = may_be_called(called, self.host, self.loopback)
        return ours and asked.get("origin") in (None, f"http://{called}")
