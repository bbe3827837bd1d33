"""`LoopbackServer`: an HTTP server for browsers of this machine only.

It listens on the loopback address, and refuses requests for another host name: a name of another
site that resolves to this machine is an attack (DNS rebinding). A slow client blocks no other one,
and is cut off.
"""

from __future__ import annotations

import io
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import Any, cast
from urllib.parse import SplitResult, urlsplit

from emopy.errors import InputError

_REQUEST_S = 5.0
"""Time for a whole request from its first byte on, and to wait for it, seconds."""

_LOOPBACK_NAMES = {"localhost", "127.0.0.1", "::1"}

HEADERS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Headers of every response."""


class LoopbackServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """HTTP server on the loopback interface, with a thread for each connection.

    Args:
        port: Port to listen on; 0 for any free one.
        handler: Responds to the requests.

    Raises:
        InputError: The port is in use.
    """

    allow_reuse_address = sys.platform != "win32"  # there, another process could take the port
    request_queue_size = 16

    def __init__(self, port: int, handler: type[LoopbackHandler]) -> None:
        self._connections: set[socket.socket] = set()
        try:
            super().__init__(("127.0.0.1", port), handler)
        except (OSError, OverflowError) as error:
            raise InputError(
                f"`port` must be free to listen on. Received {port}: {error}. "
                "Choose another, or 0 for any."
            ) from error
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.05}, name="emopy-page"
        )
        self._thread.start()

    @property
    def server_port(self) -> int:
        """The port it listens on."""
        return cast("tuple[str, int]", self.server_address)[1]

    def stop(self) -> None:
        """Finish pending responses, close the connections, and join the threads."""
        self.shutdown()
        self._thread.join()
        for connection in list(self._connections):
            with suppress(OSError):  # already closed by the browser
                connection.shutdown(socket.SHUT_RD)  # its thread ends after its response
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Register the connection, and handle it in a thread."""
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Unregister the connection, and close it."""
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a browser that disconnects; report everything else."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Request(io.RawIOBase):
    """Reads a request from a connection, which is given up if it takes too long altogether.

    A timeout of the socket alone would start again with each byte.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._due_s: float | None = None

    def expect_next(self) -> None:
        """Start the time with the next byte."""
        self._due_s = None

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what has arrived; TimeoutError if the request is late."""
        rest_s = _REQUEST_S if self._due_s is None else self._due_s - time.monotonic()
        if rest_s <= 0:
            raise TimeoutError
        self._connection.settimeout(rest_s)
        count = self._connection.recv_into(buffer)
        self._connection.settimeout(_REQUEST_S)  # for the response
        if self._due_s is None:
            self._due_s = time.monotonic() + _REQUEST_S
        return count


class LoopbackHandler(BaseHTTPRequestHandler):
    """Responds to the requests of one connection; a subclass has `do_GET` and the like."""

    protocol_version = "HTTP/1.1"
    server_version = "EmoPy"
    sys_version = ""
    timeout = _REQUEST_S  # for a browser that hangs, and on stop
    disable_nagle_algorithm = True

    headers_of_all: Mapping[str, str] = HEADERS
    """Headers of every response."""

    def setup(self) -> None:
        """Read requests with a limit of their total time."""
        super().setup()
        self._request = _Request(self.connection)
        self.rfile = io.BufferedReader(self._request)

    def handle_one_request(self) -> None:
        """Read one request, and respond."""
        self._request.expect_next()
        super().handle_one_request()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing."""

    def checked_address(self) -> SplitResult | None:
        """The requested address; None if the request was refused."""
        try:
            if not _is_loopback(self.headers.get("Host", "")):
                self.close_connection = True
                self.respond(421)
                return None
            return urlsplit(self.path)
        except ValueError:
            self.close_connection = True
            self.respond(400)
            return None

    def respond(
        self,
        status: int,
        content_type: str | None = None,
        body: bytes = b"",
        *,
        more: Mapping[str, str] | None = None,
    ) -> None:
        """Send a response; `more` are headers of this one only."""
        self.send_response(status)
        for name, value in {**self.headers_of_all, **(more or {})}.items():
            self.send_header(name, value)
        if content_type is not None:
            self.send_header("Content-Type", content_type)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _is_loopback(host: str) -> bool:
    try:
        return urlsplit(f"//{host}").hostname in _LOOPBACK_NAMES
    except ValueError:
        return False
