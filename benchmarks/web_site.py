"""A static server on this machine that compresses and counts what it sends."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Mapping
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlsplit

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript",
    ".json": "application/json",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
}
_COMPRESSED = {".png", ".jpg"}
_MAX_AGE_S = 3600


class Site:
    """Serves folders, compressed with gzip, as a static host does; browsers may keep the files.

    Args:
        folders: Folder of each first part of a path.

    Attributes:
        sent: Bytes of each path that was requested, compressed, since `forget` was called.
    """

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self.folders = {name: folder.resolve() for name, folder in folders.items()}
        self.sent: dict[str, int] = {}
        site = self

        class Handler(_Handler):
            owner = site

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def address(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def forget(self) -> None:
        """Start to count again."""
        self.sent.clear()

    def find(self, path: str) -> Path | None:
        """Return the file of a path; None where there is none."""
        name, _, rest = path.lstrip("/").partition("/")
        if name not in self.folders:
            return None
        file = (self.folders[name] / (rest or "index.html")).resolve()
        return file if file.is_relative_to(self.folders[name]) and file.is_file() else None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    owner: Site

    def do_GET(self) -> None:
        """Send a file."""
        path = unquote(urlsplit(self.path).path)
        file = self.owner.find(path)
        body = b"" if file is None else compressed(file)
        self.send_response(404 if file is None else 200)
        if file is not None:
            self.owner.sent[path] = len(body)
            self.send_header("Content-Type", _TYPES.get(file.suffix, "application/octet-stream"))
            self.send_header("Cache-Control", f"max-age={_MAX_AGE_S}")
            if file.suffix not in _COMPRESSED:
                self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing."""


@cache
def compressed(file: Path) -> bytes:
    """Return the content of a file as it is sent: images as they are, all else with gzip."""
    content = file.read_bytes()
    return content if file.suffix in _COMPRESSED else gzip.compress(content, mtime=0)
