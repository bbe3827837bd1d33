"""`WebPage`: serves the page of EmoPy that runs in the browser, to this machine only."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from emopy.errors import InputError
from emopy.live.loopback import HEADERS, LoopbackHandler, LoopbackServer
from emopy.web_page_files import (
    CONTENT_TYPES,
    WEB_PAGE_HEADERS,
    find_web_page,
    list_web_page,
)

WEB_PORT = 8416
"""Port of the page where none is named: with one address, a browser asks for the camera once."""

_ROOT = "/emopy/"
"""Path of the page: what the browser keeps for it concerns no other program on the same port."""


class WebPage:
    """Serves the built page while the ``with`` block runs.

    The page computes everything in the browser: nothing but its own files is served, and nothing is
    received.

    Args:
        port: Port to listen on; 0 for any free one; None for 8416, or any free one where that is
            in use.
        folder: Folder of the built page; None finds it.

    Raises:
        InputError: The page was not built; or the port is in use, when the page is opened.

    Example::

        with WebPage() as page:
            print(page.address)
            input("Press Enter to stop.")
    """

    def __init__(self, port: int | None = None, *, folder: Path | None = None) -> None:
        self._files = list_web_page(find_web_page() if folder is None else folder)
        self._port = port
        self._server: _Server | None = None

    def __enter__(self) -> Self:
        try:
            self._server = _Server(WEB_PORT if self._port is None else self._port, self._files)
        except InputError:
            if self._port is not None:
                raise
            self._server = _Server(0, self._files)
        return self

    def __exit__(self, *error: object) -> None:
        if self._server is not None:
            self._server.stop()

    @property
    def address(self) -> str:
        """URL of the page, once it is open."""
        port = self._port if self._server is None else self._server.server_port
        return f"http://127.0.0.1:{port}{_ROOT}"


class _Server(LoopbackServer):
    def __init__(self, port: int, files: dict[str, Path]) -> None:
        self.files = files
        super().__init__(port, _Handler)


class _Handler(LoopbackHandler):
    headers_of_all = HEADERS | WEB_PAGE_HEADERS
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:  # noqa: N802
        """Send a file of the page."""
        address = self.checked_address()
        if address is None:
            return
        if address.path in ("/", _ROOT.rstrip("/")):
            self.respond(302, more={"Location": _ROOT})
            return
        is_inside = address.path.startswith(_ROOT)
        file = self.server.files.get(address.path[len(_ROOT) :] or "index.html")
        if is_inside and file is not None and file.is_file():
            self.respond(200, CONTENT_TYPES[file.suffix], file.read_bytes())
        else:
            self.respond(404)

    do_HEAD = do_GET  # noqa: N815
