"""`AccessMiddleware`: host and origin, keys, time limits, access log and metrics of requests."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Collection
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from emopy.serve.metrics import Metrics
from emopy.serve.problems import ProblemDetails
from emopy.serve.settings import ServeSettings, is_loopback
from emopy.serve.work_queue import ClientGone

access_log = logging.getLogger("emopy.serve.access")
_log = logging.getLogger("emopy.serve")

KEY_PROTOCOL = "emopy-key."
"""Prefix of the WebSocket subprotocol that carries a key: browsers can set no header there."""

LIVE_PATH = "/v1/live"
"""Path of the only WebSocket."""

OTHER_PATH = "other"
"""What the log and the metrics call paths that there are none of."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_CLIENT_GONE = 499
"""Status of a request whose client has gone away, in the log and the metrics, as in nginx."""

_HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}


class AccessMiddleware:
    """Passes allowed requests on, and answers every other one with problem details.

    Args:
        app: What answers.
        settings: Keys and origins.
        metrics: Counts requests.
        paths: Paths that there are, which requests are counted by.
        open_paths: Those that need no key.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: ServeSettings,
        metrics: Metrics,
        paths: Collection[str],
        open_paths: Collection[str],
    ) -> None:
        self._app = app
        self._settings = settings
        self._metrics = metrics
        self._names = frozenset(name.lower() for name in settings.names)
        self._paths = frozenset(paths)
        self._open_paths = frozenset(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] == "websocket":
            await self._handle_socket(scope, receive, send)
        elif scope["type"] == "http":
            path = scope["path"] if scope["path"] in self._paths else OTHER_PATH
            await _Exchange(scope, send, path, self._settings, self._metrics).run(
                lambda pass_on: self._answer(scope, receive, pass_on)
            )
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if "content-length" in headers and "transfer-encoding" in headers:
            raise ProblemDetails(  # one of them hides another request from a proxy
                HTTPStatus.BAD_REQUEST,
                "A request must not have both Content-Length and Transfer-Encoding.",
                headers={"Connection": "close"},
            )
        origin = self._check_caller(headers)
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers and origin:
            await send(
                {
                    "type": "http.response.start",
                    "status": 204,
                    "headers": [
                        (b"access-control-allow-methods", b"GET, POST"),
                        (
                            b"access-control-allow-headers",
                            b"authorization, content-type, x-api-key, x-request-id",
                        ),
                        (b"access-control-max-age", b"600"),
                    ],
                }
            )
            await send({"type": "http.response.body"})
            return
        if scope["path"] not in self._open_paths:
            self._check_key(headers)
        await self._app(scope, receive, send)

    async def _handle_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a WebSocket on; a refused one is answered like a request, before it is opened."""
        path = LIVE_PATH if scope["path"] == LIVE_PATH else OTHER_PATH
        headers = Headers(scope=scope)
        request_id = request_id_of(headers)
        own_headers = {**_HEADERS, "x-request-id": request_id}

        def record(status: int) -> None:
            self._metrics.requests.labels(path, str(status)).inc()
            access_log.info("WS %s %d %s", path, status, request_id)

        async def refuse(problem: ProblemDetails) -> None:
            record(problem.status)
            response = problem.to_response()
            response.headers.update(own_headers)
            start = {"status": response.status_code, "headers": response.raw_headers}
            await send({"type": "websocket.http.response.start", **start})
            await send({"type": "websocket.http.response.body", "body": response.body})

        async def pass_on(message: Message) -> None:
            if message["type"] == "websocket.accept":
                record(HTTPStatus.SWITCHING_PROTOCOLS)
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        try:
            self._check_caller(headers)
            self._check_key(headers)
            if path != LIVE_PATH:
                raise ProblemDetails(HTTPStatus.NOT_FOUND, f"The WebSocket is at {LIVE_PATH}.")
        except ProblemDetails as problem:
            await refuse(problem)
            return
        try:
            await self._app(scope, receive, pass_on)
        except WebSocketDisconnect:
            pass
        except Exception:
            _log.exception("A live session failed.")
            raise

    def _check_caller(self, headers: Headers) -> str | None:
        """Return the allowed foreign origin of a request; None for the service's own pages.

        Raises:
            ProblemDetails: 421 for a name that is not this machine's (DNS rebinding), 403 for a
                page of another origin.
        """
        host = headers.get("host", "")
        name = _hostname(f"//{host}")
        known = name in self._names or is_loopback(name)
        if self._settings.is_loopback and not known:
            raise ProblemDetails(
                HTTPStatus.MISDIRECTED_REQUEST,
                "The service must be called as 127.0.0.1 or localhost. "
                f"Received {host[:100]!r}. Start the service with --allow-host to allow a name.",
            )
        origin = headers.get("origin")
        if origin is None or origin in (f"http://{host}", f"https://{host}"):
            return None
        if origin in self._settings.origins:
            return origin
        raise ProblemDetails(
            HTTPStatus.FORBIDDEN,
            "Pages of other origins may not send requests. Start the service with "
            "--allow-origin to allow one.",
        )

    def _check_key(self, headers: Headers) -> None:
        """Raise the problem 401 without a right key; its time tells nothing about the keys."""
        known = self._settings.key_digests
        if not known:
            return
        digest = hashlib.sha256(_given_key(headers).encode()).digest()
        matches = [hmac.compare_digest(digest, each) for each in known]
        if not any(matches):
            raise ProblemDetails(
                HTTPStatus.UNAUTHORIZED,
                "An API key is needed. Send it as: Authorization: Bearer KEY",
                headers={"WWW-Authenticate": "Bearer"},
            )


class _Exchange:
    """One request and its answer: headers, time limits, log and metrics."""

    def __init__(
        self, scope: Scope, send: Send, path: str, settings: ServeSettings, metrics: Metrics
    ) -> None:
        self._scope = scope
        self._send = send
        self._path = path
        self._settings = settings
        self._metrics = metrics
        headers = Headers(scope=scope)
        self._id = request_id_of(headers)
        origin = headers.get("origin")
        self._origin = origin if origin in settings.origins else None
        self._status = 0

    async def run(self, answer: Callable[[Send], Awaitable[None]]) -> None:
        """Answer, and record it."""
        started_s = time.perf_counter()
        try:
            await self._answer(answer)
        finally:
            self._record(time.perf_counter() - started_s)

    async def _answer(self, answer: Callable[[Send], Awaitable[None]]) -> None:
        try:
            await answer(self._pass_on)
        except ClientGone:
            self._status = self._status or _CLIENT_GONE
        except _SlowReader:
            raise ConnectionAbortedError from None  # makes Uvicorn close the connection
        except ProblemDetails as problem:
            await self._respond(problem)
        except Exception:
            _log.exception("Request %s failed.", self._id)
            if self._status:
                raise
            await self._respond(
                ProblemDetails(
                    HTTPStatus.INTERNAL_SERVER_ERROR,
                    f"The service failed. Its log has the reason under {self._id}.",
                )
            )

    async def _respond(self, problem: ProblemDetails) -> None:
        if self._status:
            return
        await problem.to_response()(self._scope, _no_message, self._pass_on)

    async def _pass_on(self, message: Message) -> None:
        """Send a part of the answer, within the time that a client has to take it."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["x-request-id"] = self._id
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            if self._origin:
                headers["access-control-allow-origin"] = self._origin
                headers["access-control-expose-headers"] = "retry-after, x-request-id"
                headers["vary"] = "Origin"
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                await self._send(message)
        except TimeoutError:
            raise _SlowReader from None

    def _record(self, seconds: float) -> None:
        """Log and count the request, by its path if there is such a one: it may hold anything."""
        self._metrics.requests.labels(self._path, str(self._status)).inc()
        self._metrics.seconds.labels(self._path).observe(seconds)
        access_log.info(
            "%s %s %d %.1f ms %s",
            self._scope["method"][:10],
            self._path,
            self._status,
            1000 * seconds,
            self._id,
        )


class _SlowReader(Exception):  # noqa: N818  an event rather than an error
    """The client does not take the answer."""


def request_id_of(headers: Headers) -> str:
    """Return the request id that a client has given, or a new one."""
    asked = headers.get("x-request-id", "")
    return asked if _REQUEST_ID.fullmatch(asked) else uuid.uuid4().hex


async def _no_message() -> Message:
    return {"type": "http.disconnect"}


def _hostname(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _given_key(headers: Headers) -> str:
    """The key of a request: a header, or a subprotocol of a WebSocket."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return key.strip()
    for protocol in headers.get("sec-websocket-protocol", "").split(","):
        if protocol.strip().startswith(KEY_PROTOCOL):
            return protocol.strip().removeprefix(KEY_PROTOCOL)
    return headers.get("x-api-key", "")
