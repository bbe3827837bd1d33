"""`create_app`: the paths of the service, and what belongs to each of them."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from types import FrameType
from typing import Any, cast

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from emopy import __version__
from emopy.fermodel import FERModel
from emopy.models.session import without_arena
from emopy.serve.documentation import DESCRIPTION, OPERATIONS, PROBES
from emopy.serve.memory import trim_regularly
from emopy.serve.metrics import Metrics
from emopy.serve.middleware import LIVE_PATH, AccessMiddleware
from emopy.serve.pages import add_pages
from emopy.serve.problems import ProblemDetails
from emopy.serve.service import Service
from emopy.serve.settings import ServeSettings

STOP_SIGNALS: tuple[int, ...] = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGBREAK") if hasattr(signal, name)
)
"""What ends the service; SIGBREAK is that of Windows, where nothing sends SIGTERM."""


_UNDECLARED: dict[str, Any] = {"response_model": None, "response_class": Response}
"""Answers are those that `OPERATIONS` describes; FastAPI would add JSON to all of them."""


def create_app(load_model: Callable[[], FERModel], settings: ServeSettings) -> FastAPI:
    """Return the service as an ASGI application.

    Args:
        load_model: Returns the model.
        settings: Limits and keys.

    Raises:
        EmoPyError: What `load_model` raises.
        InputError: The model takes clips, not images.
    """
    with without_arena():
        model = load_model()
    metrics = Metrics(model.card)
    service = Service(model, settings, metrics)
    service.warm_up()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[dict[str, Any]]:
        del app
        service.ready = True
        _drain_on_stop(service, settings.drain_s)
        trimming = asyncio.create_task(trim_regularly())
        yield {"metrics": metrics}
        trimming.cancel()
        await service.close()

    app = FastAPI(
        title="EmoPy",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    _add_paths(app, service, metrics)
    open_paths = [*PROBES, "/openapi.json", *add_pages(app)]
    if settings.key_digests:
        _describe_keys(app)
    app.add_exception_handler(HTTPException, _to_problem)
    app.add_exception_handler(ProblemDetails, _answer_problem)
    app.add_middleware(
        cast("Any", AccessMiddleware),
        settings=settings,
        metrics=metrics,
        paths=[path for route in app.routes if (path := getattr(route, "path", ""))],
        open_paths=open_paths,
    )
    return app


def _describe_keys(app: FastAPI) -> None:
    """Say in the description which paths need a key, so that ``/docs`` asks for it."""
    description = app.openapi()
    description["components"] = {
        **description.get("components", {}),
        "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
    }
    description["security"] = [{"key": []}]
    for path in PROBES:
        description["paths"][path]["get"]["security"] = []


def _add_paths(app: FastAPI, service: Service, metrics: Metrics) -> None:
    for path, answer in (
        ("/v1/predict", service.predict),
        ("/v1/explain", service.explain),
        ("/v1/video", service.video),
        ("/analyze", service.analyze),
    ):
        app.add_api_route(path, answer, methods=["POST"], **_UNDECLARED, **OPERATIONS[path])
    app.add_api_websocket_route(LIVE_PATH, service.live)

    async def models() -> Response:
        return JSONResponse({"models": service.models()})

    async def health() -> Response:
        return PlainTextResponse("ok\n")

    async def readiness() -> Response:
        if service.ready:
            return PlainTextResponse("ready\n")
        raise ProblemDetails(HTTPStatus.SERVICE_UNAVAILABLE, "The service is stopping.")

    async def counts() -> Response:
        return Response(metrics.to_text(), media_type=metrics.content_type)

    for path, answer in (
        ("/v1/models", models),
        ("/healthz", health),
        ("/readyz", readiness),
        ("/metrics", counts),
    ):
        app.add_api_route(path, answer, methods=["GET"], **_UNDECLARED, **OPERATIONS[path])
    for path, answer in (("/healthz", health), ("/readyz", readiness)):
        app.add_api_route(path, answer, methods=["HEAD"], include_in_schema=False, **_UNDECLARED)
    app.add_api_route(LIVE_PATH, _ask_for_socket, include_in_schema=False, **_UNDECLARED)


async def _ask_for_socket() -> Response:
    """Answer a request to the path of the WebSocket that is none."""
    raise ProblemDetails(
        HTTPStatus.UPGRADE_REQUIRED,
        f"{LIVE_PATH} must be opened as a WebSocket. Connect with ws:// or wss://",
        headers={"Upgrade": "websocket", "Connection": "Upgrade"},
    )


def _drain_on_stop(service: Service, drain_s: float) -> None:
    """On a stop signal say that the service is not ready, and end only after a while."""
    if threading.current_thread() is not threading.main_thread():
        return  # a test runs it
    ends = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    loop = asyncio.get_running_loop()

    def stop(number: int, frame: FrameType | None) -> None:
        service.ready = False
        if callable(end := ends[number]):
            loop.call_soon_threadsafe(loop.call_later, drain_s, end, number, frame)

    for number in STOP_SIGNALS:
        signal.signal(number, stop)


async def _to_problem(request: Request, error: Exception) -> Response:
    """Answer an unknown path, or a method that it does not have."""
    del request
    failed = cast("HTTPException", error)
    detail = {
        HTTPStatus.NOT_FOUND: "There is no such path. /docs lists those there are.",
        HTTPStatus.METHOD_NOT_ALLOWED: "The path does not allow this method. See /docs.",
    }.get(HTTPStatus(failed.status_code), str(failed.detail))
    return ProblemDetails(failed.status_code, detail, headers=failed.headers).to_response()


async def _answer_problem(request: Request, error: Exception) -> Response:
    del request
    return cast("ProblemDetails", error).to_response()
