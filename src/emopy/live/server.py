"""The little web server of `Page`: this machine only, this page only."""

from __future__ import annotations

import re
import secrets
import socket
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler
from importlib.resources import files
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, urlsplit

from emopy.errors import InputError

if TYPE_CHECKING:  # the page makes its server
    from emopy.live.page import Page

_FILES = {
    "": ("page.html", "text/html; charset=utf-8"),
    "page.css": ("page.css", "text/css; charset=utf-8"),
    "page.js": ("page.js", "text/javascript; charset=utf-8"),
}
_NAMES = {"localhost", "127.0.0.1", "::1"}
_WAIT_S = 2.0
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


class PageServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Serves a page in threads of its own until it is stopped.

    Args:
        page: What is shown.
        port: Port on the loopback interface; 0 for any that is free.
        key: First part of every path; who does not know it gets nothing.

    Raises:
        InputError: The port is taken or not allowed.
    """

    allow_reuse_address = sys.platform != "win32"  # there, others could take the port over
    request_queue_size = 16

    def __init__(self, page: Page, port: int, key: str) -> None:
        self.page = page
        self.key = key
        self._open: set[socket.socket] = set()
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
        """Finish the answers under way, hang up, and wait for the threads."""
        self.shutdown()
        self._thread.join()
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RD)  # its thread sees the end after its answer
            except OSError:  # it hung up itself
                continue
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, and answer it in a thread."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection, and close it."""
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away is no error; everything else is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "EmoPy"
    sys_version = ""
    timeout = 5.0  # for a browser that hangs, and for the end
    disable_nagle_algorithm = True

    @property
    def _served(self) -> PageServer:
        return cast(PageServer, self.server)

    def do_GET(self) -> None:
        """Send a file of the page, or the next frame."""
        path = self._path()
        if path is None:
            return
        if path in _FILES:
            name, kind = _FILES[path]
            self._answer(200, kind, files("emopy.live").joinpath(name).read_bytes())
        elif path == "frame":
            self._send_frame()
        else:
            self._answer(404)

    def do_POST(self) -> None:
        """Stop, if the page itself asks for it."""
        self.close_connection = True  # what else the request holds is not read
        path = self._path()
        if path is None:
            return
        if self.headers.get("Origin") != f"http://{self.headers['Host']}":
            self._answer(403)
        elif path == "stop":
            self._served.page.stop()
            self._answer(204)
        else:
            self._answer(404)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing: the terminal is for other things."""

    def _path(self) -> str | None:
        """What is asked for, after the key; None if the request was refused."""
        if not _is_this_machine(self.headers.get("Host", "")):
            # A name that leads here is a trick of another site to read this page (DNS rebinding).
            self.close_connection = True
            self._answer(421)
            return None
        key, _, path = urlsplit(self.path).path.removeprefix("/").partition("/")
        if not secrets.compare_digest(key.encode(), self._served.key.encode()):
            self._answer(404)
            return None
        return path

    def _send_frame(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        after = query.get("after", ["0"])[-1]
        if not re.fullmatch(r"[0-9]{1,15}", after):
            self._answer(400)
            return
        page = self._served.page
        shown = page.after(int(after), wait_s=_WAIT_S)
        if shown is not None:
            body = _form(shown.record, shown.image)
            self._answer(200, f"multipart/form-data; boundary={_BOUNDARY}", body)
        else:
            self._answer(410 if page.ended else 204)

    def _answer(self, status: int, kind: str | None = None, body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        if kind is not None:
            self.send_header("Content-Type", kind)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)


def _is_this_machine(host: str) -> bool:
    try:
        return urlsplit(f"//{host}").hostname in _NAMES
    except ValueError:
        return False


def _form(record: bytes, image: bytes) -> bytes:
    """Two parts in the format that browsers read as FormData.

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
