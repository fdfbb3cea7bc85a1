"""The page, and what it asks for."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from importlib.resources import files
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cnnlab.errors import UserError
from cnnlab.serve.answer import Answerer, png
from cnnlab.serve.examples import Examples
from cnnlab.serve.guard import Guard
from cnnlab.serve.upload import MOST_BYTES, too_large, uploaded

log = logging.getLogger(__name__)
PATIENCE = 30  # seconds in which a file has to come
FILES = {
    "/": ("page.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
}
Endpoint = Callable[[Request], Awaitable[Response]]


def app_of(answerer: Answerer, examples: Examples, about: dict[str, Any], host: str, loopback: bool) -> Starlette:
    """about: what the page says of the run."""

    async def told(_: Request) -> Response:
        return JSONResponse({**about, "examples": examples.told()})

    async def example(request: Request) -> Response:
        return Response(png(examples.at(request.path_params["number"])), media_type="image/png")

    async def predict(request: Request) -> Response:
        data = await body_of(request)
        return JSONResponse(
            await run_in_threadpool(lambda: answerer.answer(uploaded(data, answerer.subject.data.in_channels)))
        )

    async def predict_example(request: Request) -> Response:
        image = examples.at(request.path_params["number"])
        return JSONResponse(await run_in_threadpool(answerer.answer, image))

    routes = [Route(path, static(*file)) for path, file in FILES.items()]
    routes += [
        Route("/about", told),
        Route("/predict", predict, methods=["POST"]),
        Route("/examples/{number:int}.png", example),
        Route("/examples/{number:int}/predict", predict_example, methods=["POST"]),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, host=host, loopback=loopback)],
        exception_handlers={UserError: refused, HTTPException: failed, Exception: broken},
    )


def static(name: str, kind: str) -> Endpoint:
    """A file that lies beside this one."""
    content = files("cnnlab.serve").joinpath(name).read_bytes()

    async def send(_: Request) -> Response:
        return Response(content, media_type=kind)

    return send


async def body_of(request: Request) -> bytes:
    """What is sent, which is not kept beyond the limit.

    Raises:
        HTTPException: it is too large, or takes too long.
    """
    if int(request.headers.get("content-length", "0")) > MOST_BYTES:
        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, too_large())
    body = bytearray()
    try:
        async with asyncio.timeout(PATIENCE):
            async for piece in request.stream():
                body += piece
                if len(body) > MOST_BYTES:
                    raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, too_large())
    except TimeoutError as error:
        raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, "The file did not come in time.") from error
    return bytes(body)


async def refused(_: Request, error: Exception) -> Response:
    """In words, which the page shows."""
    return JSONResponse({"error": str(error)}, HTTPStatus.UNPROCESSABLE_ENTITY)


async def failed(_: Request, error: Exception) -> Response:
    """Likewise; of too large a body the rest is not waited for."""
    assert isinstance(error, HTTPException)
    headers = {"Connection": "close"} if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE else None
    return JSONResponse({"error": error.detail}, error.status_code, headers)


async def broken(_: Request, error: Exception) -> Response:
    """An error of ours: the page is told so; the traceback is logged by the server."""
    return JSONResponse({"error": f"The server failed: {type(error).__name__}. Its terminal says more."}, 500)
