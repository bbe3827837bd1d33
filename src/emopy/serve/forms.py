"""Forms (``multipart/form-data``) that are in memory: nothing of them is written to disk.

Source: RFC 7578, https://www.rfc-editor.org/rfc/rfc7578, and RFC 2046, 5.1.1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus

from emopy.serve.problems import ProblemDetails

MULTIPART = "multipart/form-data"

_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_DISPOSITION = re.compile(
    rb"^content-disposition:[ \t]*form-data[ \t]*(;[^\r\n]*)", re.IGNORECASE | re.MULTILINE
)
_PARAMETER = re.compile(r';\s*([^\s=;"]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))')
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
        ProblemDetails: 400 if it is damaged; 422 if it has more parts.
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
            status = HTTPStatus.UNPROCESSABLE_ENTITY
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
    found = _DISPOSITION.search(body, start + 2, stop + 2)
    values = _parameters(found[1]) if found else {}
    if "name" not in values:
        raise _damaged("A part has no name.")
    return Part(values["name"], values.get("filename"), body[stop + 4 : end])


def _parameters(text: bytes) -> dict[str, str]:
    """Return the parameters of a header."""
    values: dict[str, str] = {}
    for found in _PARAMETER.finditer(text.decode("utf-8", "replace")):
        quoted, plain = found[2], found[3]
        value = plain if quoted is None else re.sub(r'\\(["\\])', r"\1", quoted)
        values.setdefault(found[1].lower(), value)
    return values


def _damaged(reason: str) -> ProblemDetails:
    return ProblemDetails(HTTPStatus.BAD_REQUEST, f"The form must be {MULTIPART}. {reason}")
