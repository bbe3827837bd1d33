"""Pages of the service for browsers.

``/`` is the page that predicts in the browser itself, where it is built; ``/docs`` shows
`/openapi.json`. Links are relative, so that the pages work behind a proxy; nothing is loaded from
other hosts.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response

from emopy.errors import InputError
from emopy.web_page_files import (
    CONTENT_TYPES,
    WEB_PAGE_HEADERS,
    find_web_page,
    list_web_page,
)

_DOCS = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>EmoPy: HTTP service</title>
<link rel="icon" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
<div id="docs"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</html>
"""
_START = """SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#docs",
  presets: [SwaggerUIBundle.presets.apis],
  deepLinking: true,
  tryItOutEnabled: true,
  validatorUrl: null,
});
"""
_SWAGGER_TYPES = {
    "favicon-32x32.png": "image/png",
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
}
"""Files of Swagger UI, from the package `fastapi_swagger`, and their types."""

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def add_pages(app: FastAPI) -> list[str]:
    """Add the pages to an application, and return their paths, which need no key."""

    async def docs() -> Response:
        return Response(_DOCS, media_type="text/html", headers={"Content-Security-Policy": _POLICY})

    async def start() -> Response:
        return Response(_START, media_type="text/javascript")

    def swagger(name: str, kind: str) -> Callable[[], Awaitable[Response]]:
        async def file() -> Response:
            return Response(_swagger_file(name), media_type=kind)

        return file

    paths = {"/docs": docs, "/docs/start.js": start} | {
        f"/docs/{name}": swagger(name, kind) for name, kind in _SWAGGER_TYPES.items()
    }
    for path, answer in paths.items():
        app.add_api_route(
            path, answer, methods=["GET", "HEAD"], include_in_schema=False, response_model=None
        )
    return [*paths, *_add_web_page(app)]


def _add_web_page(app: FastAPI) -> list[str]:
    """Add the page that predicts in the browser, each of its files by name; else lead to the docs.

    No path of a request names a file: the paths are those of the files that the page has now.
    """

    async def root() -> Response:
        return RedirectResponse("docs")

    def page(path: Path) -> Callable[[Request], Awaitable[Response]]:
        async def file(request: Request) -> Response:
            return _page_file(path, request)

        return file

    try:
        found = list_web_page(find_web_page())
    except InputError:
        paths: dict[str, Callable[..., Awaitable[Response]]] = {"/": root}
    else:
        paths = {
            f"/{name}": page(path) for name, path in {"": found["index.html"], **found}.items()
        }
    for path, answer in paths.items():
        app.add_api_route(
            path, answer, methods=["GET", "HEAD"], include_in_schema=False, response_model=None
        )
    return [*paths]


def _page_file(path: Path, request: Request) -> Response:
    """Return a file of the page, or status 304 if the browser has it."""
    response = FileResponse(
        path,
        headers=WEB_PAGE_HEADERS,
        media_type=CONTENT_TYPES[path.suffix],
        stat_result=path.stat(),
    )
    if response.headers["etag"] != request.headers.get("if-none-match"):
        return response
    return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=WEB_PAGE_HEADERS)


@cache
def _swagger_file(name: str) -> bytes:
    return files("fastapi_swagger.resources").joinpath(name).read_bytes()
