"""Write docs/http.md: every path of the HTTP service, from its OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from emopy import FERModel
from emopy.serve import ServeSettings, create_app
from emopy.tables import markdown_table

PAGE = Path(__file__).parents[1] / "docs" / "http.md"

HEAD = """\
# HTTP reference

The requests and responses of `emopy serve`, path by path. [The guide](serve.md) has examples for
curl, Python and JavaScript, the limits, and how to run the service for others. The service
describes itself too:
`/docs` is a page to try requests on, `/openapi.json` the OpenAPI document from which this page was
written.

- Addresses begin with that of the service, by default `http://127.0.0.1:8000`.
- With `--api-key-file`, requests have the header `Authorization: Bearer KEY` or `X-API-Key: KEY`.
- Unknown query parameters are refused with 422.
- Every response has the header `X-Request-ID`: that of the request, or a new one.
"""

LIVE = """
## WS /v1/live

**Predict the newest image of a camera.** Each binary message is an image; each response is a text
message with a result as in the `results` of [`/v1/predict`](#post-v1predict), with `frame`, the
number of the message from 0, and `time_s`. Faces have a `track`. If messages come faster than they
are predicted, only the newest waits. Query parameters: `emotions`, `prior`, `min_confidence`,
`views` and `smoothing_s`. OpenAPI cannot describe WebSockets, so `/docs` does not list it.

| close code | meaning |
| --- | --- |
| 1003 | A text message came; send images as binary messages. |
| 1008 | A query parameter is wrong, or no image came for `--timeout` seconds. |
| 1009 | An image is over the limit of `--max-bytes`. |
| 1011 | The service failed; its log has the reason. |
| 1013 | All places for videos and live sessions are taken; try again later. |
"""

PROBLEMS = """
## Errors

An error is an object of the type `application/problem+json`
([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)) with `type`, `title`, `status`, and `detail`,
which says what to do. [The guide](serve.md#errors) says it for each status.

"""

NO_OPERATION = {
    "404": "There is no such path.",
    "405": "The path does not allow this method.",
    "426": "`/v1/live` was not opened as a WebSocket.",
}
"""Status → meaning, of requests that belong to no operation of the document."""

KINDS = {
    "image/*": "the image",
    "video/*": "the video",
    "application/octet-stream": "the same",
    "image/png": "the annotated image, with `draw=png`",
    "application/x-ndjson": "a line of JSON for each face of each frame: [columns](schema.md)",
    "text/plain": "text",
    "multipart/form-data": "the form",
    "application/json": "the object",
}
"""Content type → what it holds."""


def description() -> dict[str, Any]:
    """The OpenAPI document of the service."""
    model = FERModel(model="emopy-tiny", detector="full-image")
    return create_app(lambda: model, ServeSettings()).openapi()


def kind_of(schema: dict[str, Any]) -> str:
    """The type of a value in words."""
    if "anyOf" in schema:
        return " or ".join(map(kind_of, schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema["type"] == "array":
        most = f", at most {schema['maxItems']}" if "maxItems" in schema else ""
        return f"array of {kind_of(schema['items'])}{most}"
    values = schema.get("additionalProperties")
    if isinstance(values, dict):
        return f"object of {kind_of(cast('dict[str, Any]', values))}"
    if schema.get("format") == "binary":
        return "file"
    return schema["type"] + range_of(schema)


def range_of(schema: dict[str, Any]) -> str:
    """The limits of a number in words."""
    if {"minimum", "maximum"} <= schema.keys():
        return f" {schema['minimum']}–{schema['maximum']}"
    if "minimum" in schema:
        return f", {schema['minimum']} or more"
    return f" above {schema['exclusiveMinimum']}" if "exclusiveMinimum" in schema else ""


def fields(schema: dict[str, Any], place: str) -> Iterator[tuple[str, list[list[str]]]]:
    """Yield the fields of an object with where it is, then those of the objects inside it.

    Fields that have no word about them, such as the edges of a box, are left to their object.
    """
    rows: list[list[str]] = []
    inside: list[tuple[dict[str, Any], str]] = []
    for name, value in schema.get("properties", {}).items():
        inner = next((each for each in value.get("anyOf", ()) if each["type"] != "null"), value)
        optional = "" if name in schema.get("required", ()) else "Optional. "
        said = (optional + inner.get("description", "")).strip()
        rows.append([f"`{name}`", kind_of(value), said])
        held, many = inner, ""
        while held["type"] == "array":
            held, many = held["items"], "each of "
        if isinstance(held.get("additionalProperties"), dict):
            held, many = held["additionalProperties"], "each of "
        if any("description" in each for each in held.get("properties", {}).values()):
            inside.append((held, f"in {many}`{name}`"))
    if rows:
        yield place, rows
    for held, there in inside:
        yield from fields(held, there)


def query(operation: dict[str, Any]) -> Iterator[str]:
    """The table of parameters."""
    rows = [
        [f"`{each['name']}`", kind_of(each["schema"]), each["description"] + example(each)]
        for each in operation.get("parameters", [])
    ]
    if rows:
        yield "\n" + markdown_table(["query parameter", "type", "meaning"], rows, "lll") + "\n"


def example(parameter: dict[str, Any]) -> str:
    """An example of a parameter, if it has one."""
    return f" Example: `{parameter['example']}`" if "example" in parameter else ""


def contents(title: str, content: dict[str, Any]) -> Iterator[str]:
    """A line for each content type, and tables of the fields of objects."""
    yield f"\n**{title}**\n\n"
    for kind, holder in content.items():
        said = KINDS.get(kind) if "properties" not in holder["schema"] else "with the fields below"
        yield f"- `{kind}`{': ' + said if said else ''}\n"
    for kind, holder in content.items():
        for place, rows in fields(holder["schema"], f"in {KINDS.get(kind, kind)}"):
            yield "\n" + markdown_table([place, "type", "meaning"], rows, "lll") + "\n"


def errors(operation: dict[str, Any]) -> Iterator[str]:
    """The statuses of an operation, each a link to what it means."""
    failures = sorted(status for status in operation["responses"] if status != "200")
    yield f"\n**Errors**: [{', '.join(failures)}](#errors)\n"


def section(method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    """One path with a method."""
    said = f"**{operation['summary']}.** {operation['description']}"
    yield f"\n## {method.upper()} {path}\n\n{said}\n"
    yield from query(operation)
    if body := operation.get("requestBody"):
        yield from contents("Body", body["content"])
    yield from contents("Response", operation["responses"]["200"]["content"])
    yield from errors(operation)


def problems(paths: dict[str, Any]) -> str:
    """The table of all statuses."""
    found: dict[str, str] = {}
    for operations in paths.values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                found.setdefault(status, response["description"])
    found |= NO_OPERATION
    rows = [[status, said] for status, said in sorted(found.items()) if status != "200"]
    return PROBLEMS + markdown_table(["status", "meaning"], rows, "ll") + "\n"


def page() -> str:
    """The whole page."""
    paths = description()["paths"]
    sections = [
        text
        for path, operations in paths.items()
        for method, operation in operations.items()
        for text in section(method, path, operation)
    ]
    return "".join([HEAD, *sections, LIVE, problems(paths)])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
