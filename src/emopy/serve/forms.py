"""Forms (``multipart/form-data``) that are in memory: nothing of them is written to disk.

Source: RFC 7578, https://www.rfc-editor.org/rfc/rfc7578, and RFC 2046, 5.1.1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_bytes
from http import HTTPStatus

from emopy.serve.problems import ProblemDetails

MULTIPART = "multipart/form-data"

_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_MAX_HEAD_BYTES = 8000
"""Largest head of a part."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a form.

    Attributes:
        name: Name of the field.
        file: Name of the file as it was sent; None for a text.
        content: What it holds.
    """

    name: str
    file: str | None
    content: bytes


def read_parts(content_type: str, body: bytes, *, most: int) -> list[Part]:
    """Return the parts of a form.

    Args:
        content_type: Value of the header, with the boundary.
        body: The form.
        most: Most parts it may have.

    Raises:
        ProblemDetails: 400 if it is damaged; 413 if it has more parts.
    """
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise _damaged("Content-Type must name its boundary.")
    line = b"--" + (found[1] or found[2]).encode("latin-1")
    place = 0 if body.startswith(line) else body.find(b"\r\n" + line) + 2
    if not body.startswith(line, place):
        raise _damaged("It does not have its boundary.")
    place += len(line)
    parts: list[Part] = []
    while not body.startswith(b"--", place):
        end = body.find(b"\r\n" + line, place)
        if end < 0:
            raise _damaged("It has no end.")
        if len(parts) == most:
            status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            raise ProblemDetails(status, f"A form must have at most {most} parts.")
        parts.append(_read_part(body, place, end))
        place = end + 2 + len(line)
    return parts


def _read_part(body: bytes, place: int, end: int) -> Part:
    """Read what stands between two boundaries: the rest of a line, the head, the content."""
    start = body.find(b"\r\n", place, end)
    stop = body.find(b"\r\n\r\n", start, min(end, start + _MAX_HEAD_BYTES))
    if start < 0 or stop < 0 or body[place:start].strip(b" \t"):
        raise _damaged("A part has no head.")
    head = message_from_bytes(body[start + 2 : stop + 4])
    name = head.get_param("name", header="content-disposition")
    if head.get_content_disposition() != "form-data" or not isinstance(name, str):
        raise _damaged("A part has no name.")
    file = head.get_param("filename", header="content-disposition")
    if isinstance(file, tuple):  # RFC 2231, which forms must not use
        file = file[2]
    content = body[stop + 4 : end]
    return Part(_as_text(name), None if file is None else _as_text(file), content)


def _as_text(value: str) -> str:
    """Decode a value of a head, which is UTF-8."""
    return value.encode("ascii", "surrogateescape").decode("utf-8", "replace")


def _damaged(reason: str) -> ProblemDetails:
    return ProblemDetails(HTTPStatus.BAD_REQUEST, f"The form must be {MULTIPART}. {reason}")
