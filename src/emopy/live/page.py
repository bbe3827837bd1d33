"""`Page`: a live view in the browser, served by this machine to itself only.

    browser                                  this process
    GET  /KEY/                 page.html, page.css, page.js
    GET  /KEY/frame?after=7    the newest frame with its result, once it is newer than frame 7
    POST /KEY/stop             stop

A browser requests the next frame when it has drawn the last one. So every browser gets the newest
frame, a slow one skips frames, no frame waits in a queue, and image and bars always match.
"""

from __future__ import annotations

import io
import json
import re
import secrets
import socket
import socketserver
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from http.server import BaseHTTPRequestHandler
from importlib.resources import files
from typing import Any, Self, cast
from urllib.parse import parse_qs, urlsplit

from PIL import Image

from emopy.errors import InputError
from emopy.present.face_labels import color_of
from emopy.types import ImageResult, RGBImage

_MAX_WIDTH_PX = 1280
"""Wider images are reduced by an integer factor for the browser."""

_WAIT_S = 2.0
"""Time that a request for the next frame waits before the answer 204, seconds."""

_REQUEST_S = 5.0
"""Time for a whole request from its first byte on, and to wait for it, seconds."""

_FILES = {
    "": ("page.html", "text/html; charset=utf-8"),
    "page.css": ("page.css", "text/css; charset=utf-8"),
    "page.js": ("page.js", "text/javascript; charset=utf-8"),
}
_LOOPBACK_NAMES = {"localhost", "127.0.0.1", "::1"}
_BOUNDARY = "emopy-frame"
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Page:
    """Shows frames and results on a page of this machine.

    Only a browser on this machine can open the page, and only by its address, which contains a
    random key, so that other users and programs of the machine cannot know it. The page loads
    nothing from the network. A frame that no browser requests is not encoded.

    Args:
        port: Port to listen on; 0 for any free one.

    Raises:
        InputError: The port is in use, when the page is opened.

    Example:
        >>> with Page() as page:
        ...     page.stopped
        False
    """

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self._key = secrets.token_urlsafe(9)
        self._changed = threading.Condition()
        self._newest: PageFrame | None = None
        self._ended = False
        self._stop = threading.Event()
        self._server: _Server | None = None

    def __enter__(self) -> Self:
        self._server = _Server(self, self._port, self._key)
        return self

    def __exit__(self, *error: object) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        if self._server is not None:
            self._server.stop()

    @property
    def address(self) -> str:
        """URL of the page, once it is open."""
        port = self._port if self._server is None else self._server.server_port
        return f"http://127.0.0.1:{port}/{self._key}/"

    @property
    def stopped(self) -> bool:
        """Whether the Stop button was pressed."""
        return self._stop.is_set()

    @property
    def ended(self) -> bool:
        """Whether no more frames will come."""
        return self._ended

    def stop(self) -> None:
        """Ask to stop, as the button does."""
        self._stop.set()

    def show(self, image: RGBImage, result: ImageResult, *, latency_s: float, fps: float) -> None:
        """Make a frame the newest one; its image must not be changed afterwards."""
        with self._changed:
            number = 1 if self._newest is None else self._newest.number + 1
            self._newest = PageFrame(number, image, result, latency_s, fps)
            self._changed.notify_all()

    def after(self, number: int, *, wait_s: float) -> PageFrame | None:
        """The newest frame once it is newer than `number`; None if none came in time, or will.

        Args:
            number: Number of the last frame that the browser has; 0 for none.
            wait_s: Maximum time to wait, seconds.
        """

        def newer() -> PageFrame | None:
            return self._newest if self._newest and self._newest.number > number else None

        with self._changed:
            self._changed.wait_for(lambda: self._ended or newer(), wait_s)
            return None if self._ended else newer()


@dataclass(eq=False)
class PageFrame:
    """A frame on the page: encoded once, when the first browser requests it."""

    number: int
    pixels: RGBImage
    result: ImageResult
    latency_s: float
    fps: float

    @cached_property
    def image(self) -> bytes:
        """The frame as JPEG."""
        image = Image.fromarray(self.pixels)
        if (factor := -(-image.width // _MAX_WIDTH_PX)) > 1:
            image = image.reduce(factor)
        file = io.BytesIO()
        image.save(file, "JPEG", quality=85)
        return file.getvalue()

    @cached_property
    def record(self) -> bytes:
        """The result as JSON: `ImageResult.to_dict`, colors, frame rate and latency."""
        labels = self.result.faces[0].prediction.labels if self.result.faces else ()
        colors = {label: color_of(label, labels) for label in labels}
        record = {
            "number": self.number,
            "latency_s": round(self.latency_s, 4),
            "fps": round(self.fps, 2),
            "colors": {label: f"#{r:02x}{g:02x}{b:02x}" for label, (r, g, b) in colors.items()},
            "result": self.result.to_dict(),
        }
        return json.dumps(record, allow_nan=False).encode("ascii")


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """HTTP server of a page on the loopback interface; paths without its key get 404."""

    allow_reuse_address = sys.platform != "win32"  # there, another process could take the port
    request_queue_size = 16

    def __init__(self, page: Page, port: int, key: str) -> None:
        self.page = page
        self.key = key
        self._connections: set[socket.socket] = set()
        try:
            super().__init__(("127.0.0.1", port), _Handler)
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


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "EmoPy"
    sys_version = ""
    timeout = _REQUEST_S  # for a browser that hangs, and on stop
    disable_nagle_algorithm = True

    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def setup(self) -> None:
        """Read requests with a limit of their total time."""
        super().setup()
        self._request = _Request(self.connection)
        self.rfile = io.BufferedReader(self._request)

    def handle_one_request(self) -> None:
        """Read one request, and respond."""
        self._request.expect_next()
        super().handle_one_request()

    def do_GET(self) -> None:
        """Send a file of the page, or the next frame."""
        path = self._checked_path()
        if path is None:
            return
        if path in _FILES:
            name, content_type = _FILES[path]
            self._respond(200, content_type, files("emopy.live").joinpath(name).read_bytes())
        elif path == "frame":
            self._send_frame()
        else:
            self._respond(404)

    def do_POST(self) -> None:
        """Stop, if the request comes from the page itself."""
        self.close_connection = True  # the body is not read
        path = self._checked_path()
        if path is None:
            return
        if self.headers.get("Origin") != f"http://{self.headers['Host']}":
            self._respond(403)
        elif path == "stop":
            self.server.page.stop()
            self._respond(204)
        else:
            self._respond(404)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing."""

    def _checked_path(self) -> str | None:
        """The path after the key; None if the request was refused."""
        if not _is_loopback(self.headers.get("Host", "")):
            # Another site's name that resolves to this machine is an attack (DNS rebinding).
            self.close_connection = True
            self._respond(421)
            return None
        try:
            self._address = urlsplit(self.path)
        except ValueError:
            self.close_connection = True
            self._respond(400)
            return None
        key, _, path = self._address.path.removeprefix("/").partition("/")
        if not secrets.compare_digest(key.encode(), self.server.key.encode()):
            self._respond(404)
            return None
        return path

    def _send_frame(self) -> None:
        after = parse_qs(self._address.query).get("after", ["0"])[-1]
        if not re.fullmatch(r"[0-9]{1,15}", after):
            self._respond(400)
            return
        page = self.server.page
        frame = page.after(int(after), wait_s=_WAIT_S)
        if frame is not None:
            body = _multipart(frame.record, frame.image)
            self._respond(200, f"multipart/form-data; boundary={_BOUNDARY}", body)
        else:
            self._respond(410 if page.ended else 204)

    def _respond(self, status: int, content_type: str | None = None, body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        if content_type is not None:
            self.send_header("Content-Type", content_type)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)


def _is_loopback(host: str) -> bool:
    try:
        return urlsplit(f"//{host}").hostname in _LOOPBACK_NAMES
    except ValueError:
        return False


def _multipart(record: bytes, image: bytes) -> bytes:
    """Both parts of a frame as multipart/form-data, which browsers parse into FormData.

    Source: RFC 7578, https://www.rfc-editor.org/rfc/rfc7578
    """
    start = f"--{_BOUNDARY}\r\nContent-Disposition: form-data; name=".encode()
    return b"".join(
        (
            *(start, b'"record"\r\n\r\n', record, b"\r\n"),
            *(start, b'"image"; filename="frame.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'),
            *(image, f"\r\n--{_BOUNDARY}--\r\n".encode()),
        )
    )
