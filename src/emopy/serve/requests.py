"""What the body of a request holds: images, or a video.

Nothing of a request is written to disk, no file of this machine is opened and no address is
fetched because of one.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar, cast

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request

from emopy.errors import with_article
from emopy.serve.forms import MULTIPART, read_parts
from emopy.serve.problems import ProblemDetails
from emopy.serve.wording import UNNAMED
from emopy.serve.work_queue import ClientGone, Places

T = TypeVar("T")

MAX_IMAGES = 64
"""Images of one request."""

BODIES = 4
"""The bodies of all requests together may hold so many times the largest one."""

SMALL = 16
"""A body of at most this part of the largest one is small. Small ones may hold as much as one
largest body besides: large ones that arrive slowly do not keep them out."""

PAUSE_S = 10.0
"""Longest time between two pieces of a body, seconds."""

_MAX_JSON_VALUES = 1000
"""Most values in a JSON body: millions of small ones would take 20 times its size in memory."""

_MAX_FIELDS = 16
"""Parts of a form that are no images."""

JSON = "application/json"
_DATA_URL = re.compile(r"data:[\w.+-]+/[\w.+-]+(?:;[\w.+-]+=[\w.+-]+)*;base64,", re.ASCII)


@dataclass(frozen=True, slots=True)
class Upload:
    """An image or video that was sent.

    Attributes:
        name: File name as the client calls it, without folders; `UNNAMED` for none.
        content: The encoded image or video.
    """

    name: str
    content: bytes


class Bodies:
    """Reads bodies within a size, a time, and a size of all of them together.

    Args:
        max_bytes: Largest body.
        timeout_s: Longest time in which a body arrives, seconds.
    """

    def __init__(self, max_bytes: int, timeout_s: float) -> None:
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s
        self._memory = Places(BODIES * max_bytes)
        self._reserve = Places(max_bytes)

    @asynccontextmanager
    async def read(
        self, request: Request, parse: Callable[[Request, bytes], T]
    ) -> AsyncIterator[T]:
        """Give what a body holds, whose memory counts until the block ends.

        Args:
            request: The request.
            parse: Takes the request and its body, which is not kept beside what this returns.

        Raises:
            ProblemDetails: 413 if it is too large, 408 if it is late, 429 if there are too many,
                400 if its length is no number; and what `parse` raises.
            ClientGone: The client has gone away.
        """
        length = self._check_length(request.headers)
        is_small = 0 < length <= self._max_bytes // SMALL
        held = _Held([self._reserve, self._memory] if is_small else [self._memory])
        body = bytearray()
        loop = asyncio.get_running_loop()
        end_s = loop.time() + self._timeout_s
        try:
            async with asyncio.timeout_at(min(end_s, loop.time() + PAUSE_S)) as limit:
                async for piece in request.stream():
                    limit.reschedule(min(end_s, loop.time() + PAUSE_S))
                    if len(body) + len(piece) > self._max_bytes:
                        raise self._too_large()
                    held.take(len(piece))
                    body += piece
        except BaseException as error:
            held.give_back()
            if isinstance(error, TimeoutError | ClientDisconnect):
                raise self._explain(error) from None
            raise
        content = bytes(body)
        del body
        try:
            found = parse(request, content)
            del content
            yield found
        finally:
            held.give_back()

    def _explain(self, error: TimeoutError | ClientDisconnect) -> Exception:
        if isinstance(error, ClientDisconnect):
            return ClientGone()
        pause = f", without a pause of {PAUSE_S:g} s" if self._timeout_s > PAUSE_S else ""
        return ProblemDetails(
            HTTPStatus.REQUEST_TIMEOUT,
            f"The body must arrive within {self._timeout_s:g} s{pause}. Send it again.",
            headers={"Connection": "close"},
        )

    def _check_length(self, headers: Headers) -> int:
        """Return the length that a body declares; 0 for none."""
        length = headers.get("content-length", "0")
        if not re.fullmatch(r"[0-9]{1,18}", length):
            raise ProblemDetails(
                HTTPStatus.BAD_REQUEST,
                f"Content-Length must be a number. Received {length[:40]!r}.",
            )
        if int(length) > self._max_bytes:
            raise self._too_large()
        return int(length)

    def _too_large(self) -> ProblemDetails:
        return ProblemDetails(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"The body must have at most {self._max_bytes:,} bytes. Send a smaller image, or fewer "
            "at a time.",
        )


class _Held:
    """The memory of one body, taken from the first of several places that has room."""

    def __init__(self, places: Sequence[Places]) -> None:
        self._places = places
        self._taken = [0] * len(places)

    def take(self, count: int) -> None:
        """Take bytes, or raise the problem 429 if they are free nowhere."""
        for number, place in enumerate(self._places):
            if place.has_free(count) or place is self._places[-1]:
                place.take(count)
                self._taken[number] += count
                return

    def give_back(self) -> None:
        """Give all back."""
        for place, count in zip(self._places, self._taken, strict=True):
            place.give_back(count)


def find_uploads(request: Request, body: bytes, *, kind: str = "image") -> list[Upload]:
    """Return the images of a body: of a form, of a JSON object, or the body itself.

    Args:
        request: The request.
        body: Its body.
        kind: What the body should hold, for errors.

    Raises:
        ProblemDetails: 400 or 422 if there is none, 415 if its type is none of these.
    """
    given = content_type(request.headers)
    if given == MULTIPART:
        uploads, texts = read_form(request.headers, body)
        for name in texts:
            raise ProblemDetails(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                f"The form must hold files. Received text in the field {name[:60]!r}. "
                "Options belong to the query, such as ?emotions=calm,anger",
            )
    elif given == JSON:
        uploads = _from_json(body)
    elif not given or given.startswith(("image/", "video/")) or given == "application/octet-stream":
        uploads = [Upload(UNNAMED, body)] if body else []
    else:
        raise ProblemDetails(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"Content-Type must be {kind}/*, {MULTIPART} or {JSON}. Received {given[:60]!r}. "
            f"With curl, add: -H 'Content-Type: {_EXAMPLES[kind]}'",
        )
    if not uploads:
        raise ProblemDetails(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"The body must hold {with_article(kind)}. Received none.",
        )
    if len(uploads) > MAX_IMAGES:
        raise ProblemDetails(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"A request must hold at most {MAX_IMAGES} {kind}s. Received {len(uploads)}.",
        )
    return uploads


_EXAMPLES = {"image": "image/jpeg", "video": "video/mp4"}


def find_upload(request: Request, body: bytes, *, kind: str) -> Upload:
    """Return the only image or video of a body.

    Args:
        request: The request.
        body: Its body.
        kind: What the body holds: ``"image"`` or ``"video"``.

    Raises:
        ProblemDetails: As `find_uploads`; 422 if there are several.
    """
    upload, *others = find_uploads(request, body, kind=kind)
    if others:
        raise ProblemDetails(HTTPStatus.UNPROCESSABLE_ENTITY, f"The body must hold one {kind}.")
    return upload


def content_type(headers: Headers) -> str:
    """Return the content type of a body without its parameters; empty for none."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def read_form(headers: Headers, body: bytes) -> tuple[list[Upload], dict[str, str]]:
    """Return the files of a form, and its texts by their field.

    Raises:
        ProblemDetails: 400 if it is damaged, 422 if it has too many parts.
    """
    uploads: list[Upload] = []
    texts: dict[str, str] = {}
    for part in read_parts(headers["content-type"], body, most=MAX_IMAGES + _MAX_FIELDS):
        if part.file is None:
            texts[part.name] = part.content.decode("utf-8", "replace")
        else:
            uploads.append(Upload(_file_name(part.file), part.content))
    return uploads, texts


def _file_name(name: str) -> str:
    """The last part of a file name, whatever the client's system is."""
    last = re.split(r"[/\\]", name)[-1].strip()
    return last[:200] or UNNAMED


def read_json(body: bytes) -> dict[str, Any]:
    """Return the object of a JSON body.

    Raises:
        ProblemDetails: 400 if it is not JSON, or no object.
    """

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON number")

    if sum(map(body.count, (b",", b"[", b"{"))) > _MAX_JSON_VALUES:
        raise ProblemDetails(
            HTTPStatus.BAD_REQUEST,
            f"The body must be a JSON object of at most {_MAX_JSON_VALUES:,} values.",
        )
    try:
        found = json.loads(body, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise ProblemDetails(
            HTTPStatus.BAD_REQUEST, f"The body must be JSON: {error}"[:300]
        ) from error
    if not isinstance(found, dict):
        raise ProblemDetails(HTTPStatus.BAD_REQUEST, "The body must be a JSON object.")
    return cast("dict[str, Any]", found)


def _from_json(body: bytes) -> list[Upload]:
    found = read_json(body)
    if unknown := sorted(set(found) - {"image", "images"}):
        raise ProblemDetails(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"The JSON object must have the key image or images. Received {unknown[0][:60]!r}.",
        )
    images = found.get("images", [])
    if not isinstance(images, list):
        raise ProblemDetails(
            HTTPStatus.UNPROCESSABLE_ENTITY, "images must be a list of base64 texts."
        )
    given = [*([found["image"]] if "image" in found else []), *cast("list[object]", images)]
    return [Upload(UNNAMED, decode_base64(each)) for each in given]


def decode_base64(text: object) -> bytes:
    """Return what a base64 text or a data URL stands for.

    Raises:
        ProblemDetails: 422 if it is neither.
    """
    if not isinstance(text, str):
        kind = "null" if text is None else type(text).__name__
        raise ProblemDetails(
            HTTPStatus.UNPROCESSABLE_ENTITY, f"An image must be base64 text. Received {kind}."
        )
    if match := _DATA_URL.match(text[:200]):
        text = text[match.end() :]
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProblemDetails(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "An image must be base64 or a data URL, such as data:image/jpeg;base64,… . "
            "Addresses are not fetched, and paths are not opened.",
        ) from error
