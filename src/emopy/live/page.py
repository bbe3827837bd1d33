"""`Page`: a live view in the browser, served by this machine to itself only.

    browser                                  this process
    GET  /KEY/                 page.html, page.css, page.js, and what they load from present/
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
import threading
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Self
from urllib.parse import parse_qs

from PIL import Image

from emopy.live.loopback import HEADERS, LoopbackHandler, LoopbackServer
from emopy.present.face_labels import color_of
from emopy.types import ImageResult, RGBImage

_MAX_WIDTH_PX = 1280
"""Wider images are reduced by an integer factor for the browser."""

_WAIT_S = 2.0
"""Time that a request for the next frame waits before the answer 204, seconds."""

_CONTENT_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
}
_FILE_NAME = re.compile(r"(page|present/[a-z_]+)\.(css|js)")
_BOUNDARY = "emopy-frame"


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


class _Server(LoopbackServer):
    """Server of a page; paths without its key get 404."""

    def __init__(self, page: Page, port: int, key: str) -> None:
        self.page = page
        self.key = key
        super().__init__(port, _Handler)


class _Handler(LoopbackHandler):
    headers_of_all = HEADERS | {
        "Cache-Control": "no-store",
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; "
            "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
    }
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:  # noqa: N802
        """Send a file of the page, or the next frame."""
        path = self._checked_path()
        if path is None:
            return
        if path == "frame":
            self._send_frame()
        elif path == "" or _FILE_NAME.fullmatch(path):
            self._send_file(path or "page.html")
        else:
            self.respond(404)

    def do_POST(self) -> None:  # noqa: N802
        """Stop, if the request comes from the page itself."""
        self.close_connection = True  # the body is not read
        path = self._checked_path()
        if path is None:
            return
        if self.headers.get("Origin") != f"http://{self.headers['Host']}":
            self.respond(403)
        elif path == "stop":
            self.server.page.stop()
            self.respond(204)
        else:
            self.respond(404)

    def _checked_path(self) -> str | None:
        """The path after the key; None if the request was refused."""
        address = self.checked_address()
        if address is None:
            return None
        self._query = address.query
        key, _, path = address.path.removeprefix("/").partition("/")
        if not secrets.compare_digest(key.encode(), self.server.key.encode()):
            self.respond(404)
            return None
        return path

    def _send_file(self, path: str) -> None:
        file = files("emopy.live").joinpath(path)
        if file.is_file():
            self.respond(200, _CONTENT_TYPES[path.rpartition(".")[2]], file.read_bytes())
        else:
            self.respond(404)

    def _send_frame(self) -> None:
        after = parse_qs(self._query).get("after", ["0"])[-1]
        if not re.fullmatch(r"[0-9]{1,15}", after):
            self.respond(400)
            return
        page = self.server.page
        frame = page.after(int(after), wait_s=_WAIT_S)
        if frame is not None:
            body = _multipart(frame.record, frame.image)
            self.respond(200, f"multipart/form-data; boundary={_BOUNDARY}", body)
        else:
            self.respond(410 if page.ended else 204)


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
