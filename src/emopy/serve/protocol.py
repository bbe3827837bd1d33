"""Connections of clients that are slow, never end, or take nothing: they are closed.

Uvicorn alone would wait without end for the head of a request, for the rest of a body that nobody
reads, and for a client that does not take what was sent to it.
"""

from __future__ import annotations

import asyncio
import sys
import uuid
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.datastructures import Headers
from websockets.http11 import Request

from emopy.serve.metrics import Metrics
from emopy.serve.middleware import OTHER_PATH, access_log
from emopy.serve.problems import CONTENT_TYPE, ProblemDetails

HEAD_S = 10.0
"""Longest time until the head of a request is complete, and for the rest of a body whose request
is already answered, seconds."""

CLOSING_S = 10.0
"""Longest time until a client has taken the rest of what was sent to it, seconds."""

_UNREAD = 4
"""Most that is taken of a body that nobody reads, in largest bodies: a client that sends one often
reads the answer only afterwards."""

_TICK_S = 0.5


class HTTPProtocol(H11Protocol):
    """Uvicorn's protocol with these limits, whose own errors are problem details."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to watch a connection."""
        super().connection_made(transport)
        self._since_s = self.loop.time()
        self._unread = 0
        self.loop.call_later(_TICK_S, self._watch)

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self._since_s = self.loop.time()
        self._unread = 0
        super().on_response_complete()

    def data_received(self, data: bytes) -> None:
        """Take data; close the connection if they are too much of a body that nobody reads."""
        if self._is_answered:
            self._unread += len(data)
            if self._unread > _UNREAD * self.config.ws_max_size:
                self.transport.close()
                return
        super().data_received(data)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP request, and close the connection."""
        del msg
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            status = getattr(sys.exception(), "error_status_hint", HTTPStatus.BAD_REQUEST)
            headers, body = _refuse(
                self.app_state["metrics"],
                status,
                "The request must be HTTP/1.1, with a head of at most 64 kB and a whole body.",
            )
            reason = HTTPStatus(status).phrase.encode()
            for event in (
                h11.Response(status_code=status, headers=[*headers.items()], reason=reason),
                h11.Data(data=body),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    @property
    def _is_answered(self) -> bool:
        """Whether the request has its answer, and its body is not complete."""
        return self.conn.our_state is h11.DONE

    def _watch(self) -> None:
        if self not in self.connections or self.transport.get_protocol() is not self:
            return  # closed, or a WebSocket now
        if self.transport.is_closing():
            _abort_later(self.transport, self.loop)
            return
        is_waiting = self.conn.their_state is h11.IDLE or self._is_answered
        if is_waiting and self.loop.time() - self._since_s > HEAD_S:
            self.transport.close()
        self.loop.call_later(_TICK_S, self._watch)


def _refuse(metrics: Metrics, status: int, detail: str) -> tuple[dict[str, str], bytes]:
    """Log and count what is no request; return the headers and the body of its answer.

    Nothing of the request is repeated.
    """
    body, request_id = bytes(ProblemDetails(status, detail).to_response().body), uuid.uuid4().hex
    metrics.requests.labels(OTHER_PATH, str(int(status))).inc()
    access_log.info("- %s %d %s", OTHER_PATH, status, request_id)
    headers = {
        "content-type": CONTENT_TYPE,
        "content-length": str(len(body)),
        "cache-control": "no-store",
        "x-request-id": request_id,
        "connection": "close",
    }
    return headers, body


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Uvicorn's protocol with these limits, whose own errors are problem details."""

    def handle_connect(self, event: Request) -> None:
        """Begin a session, or refuse a handshake that is none."""
        response = self.conn.accept(event)
        if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            super().handle_connect(event)
            return
        headers, body = _refuse(
            self.app_state["metrics"],
            response.status_code,
            "The handshake of the WebSocket must be that of RFC 6455, version 13.",
        )
        self.handshake_initiated = self.handshake_complete = True
        self.conn.send_response(replace(response, headers=Headers(**headers), body=body))
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.transport.close()

    def pause_writing(self) -> None:
        """Stop reading too: pings of a client that takes no answers would fill the memory."""
        super().pause_writing()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """Read again, unless the messages that came wait for the service."""
        super().resume_writing()
        if not self.read_paused:
            self.transport.resume_reading()

    async def receive(self) -> Any:
        """Return a message; read again only if the client takes the answers."""
        message = await super().receive()
        if not self.writable.is_set():
            self.transport.pause_reading()
        return message

    async def run_asgi(self) -> None:
        """Run the session; then the client has a while to take the rest."""
        try:
            await super().run_asgi()
        finally:
            _abort_later(self.transport, self.loop)


def _abort_later(transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
    """Drop what a client does not take of a connection that is being closed."""
    loop.call_later(CLOSING_S, transport.abort)
