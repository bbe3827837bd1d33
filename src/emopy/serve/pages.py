"""Pages of the service for browsers: ``/docs``, which shows `/openapi.json`.

Links are relative, so that the pages work behind a proxy; nothing is loaded from other hosts.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cache
from importlib.resources import files

from fastapi import FastAPI
from starlette.responses import RedirectResponse, Response

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
_CONTENT_TYPES = {
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
    """Add the pages to an application, and return their paths."""

    async def docs() -> Response:
        return Response(_DOCS, media_type="text/html", headers={"Content-Security-Policy": _POLICY})

    async def start() -> Response:
        return Response(_START, media_type="text/javascript")

    async def root() -> Response:
        return RedirectResponse("docs")

    def swagger(name: str, kind: str) -> Callable[[], Awaitable[Response]]:
        async def file() -> Response:
            return Response(_swagger_file(name), media_type=kind)

        return file

    paths = {"/": root, "/docs": docs, "/docs/start.js": start} | {
        f"/docs/{name}": swagger(name, kind) for name, kind in _CONTENT_TYPES.items()
    }
    for path, answer in paths.items():
        app.add_api_route(path, answer, include_in_schema=False, response_model=None)
    return [*paths]


@cache
def _swagger_file(name: str) -> bytes:
    return files("fastapi_swagger.resources").joinpath(name).read_bytes()
