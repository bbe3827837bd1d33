"""The files of the page that predicts in the browser, and how each server sends them.

`make web` builds them; a wheel has them in the folder ``web_page`` of the package.
"""

from __future__ import annotations

from pathlib import Path

from emopy.errors import InputError

CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".onnx": "application/octet-stream",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
}
"""Content type of a file by its suffix; files with other suffixes are not served."""

WEB_PAGE_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; "
        "connect-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "media-src 'self' blob:; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}
"""Headers of every file: they forbid connections to other hosts, and embedding."""

_PACKAGE = Path(__file__).parent
_FOLDERS = (_PACKAGE / "web_page", _PACKAGE.parents[1] / "web" / "dist")
"""Where the built page is: in an installed package, and in a clone."""


def find_web_page() -> Path:
    """Return the folder of the built page.

    Raises:
        InputError: The page was not built.
    """
    for folder in _FOLDERS:
        if (folder / "index.html").is_file():
            return folder
    raise InputError(
        "The page must be built before it is opened. Received an installation without it. "
        "Type in the folder of a clone: make web && pip install ."
    )


def list_web_page(folder: Path) -> dict[str, Path]:
    """Return the files of a built page by their path within it, such as ``"samples/fear.png"``.

    A server looks requested paths up here, so that no request can name another file.
    """
    return {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.suffix in CONTENT_TYPES and path.is_file()
    }
