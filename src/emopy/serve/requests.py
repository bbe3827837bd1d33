"""What a request holds: images in its body, and how to predict them in its query.

Nothing of a request is written to disk, no file of this machine is opened and no address is
fetched because of one.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from emopy.errors import EmoPyError, InputError, naming
from emopy.fermodel import FERModel
from emopy.labels import split_labels
from emopy.models.prior import Prior, split_prior
from emopy.serve.problems import ProblemDetails
from emopy.serve.work_queue import ClientGone, Places
from emopy.types import Box

MAX_IMAGES = 64
"""Images of one request."""

BODIES = 4
"""The bodies of all requests together may hold so many times the largest one."""

_MAX_TEXT = 2000
_MULTIPART, _JSON = "multipart/form-data", "application/json"
_DATA_URL = re.compile(r"data:[\w.+-]+/[\w.+-]+(?:;[\w.+-]+=[\w.+-]+)*;base64,", re.ASCII)


@dataclass(frozen=True, slots=True)
class Upload:
    """An image or video that was sent.

    Attributes:
        name: File name as the client calls it, without folders; ``"<bytes>"`` for none.
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

    @asynccontextmanager
    async def read(self, request: Request) -> AsyncIterator[bytes]:
        """Give the body of a request, whose memory counts until the block ends.

        Raises:
            ProblemDetails: 413 if it is too large, 408 if it is late, 429 if there are too many,
                400 if its length is no number.
            ClientGone: The client has gone away.
        """
        self._check_length(request.headers)
        body = bytearray()
        try:
            async with asyncio.timeout(self._timeout_s):
                async for piece in request.stream():
                    if len(body) + len(piece) > self._max_bytes:
                        raise self._too_large()
                    self._memory.take(len(piece))
                    body += piece
            yield bytes(body)
        except TimeoutError:
            raise ProblemDetails(
                HTTPStatus.REQUEST_TIMEOUT,
                f"The body must arrive within {self._timeout_s:g} s. Send it again.",
                headers={"Connection": "close"},
            ) from None
        except ClientDisconnect:
            raise ClientGone from None
        finally:
            self._memory.give_back(len(body))

    def _check_length(self, headers: Headers) -> None:
        length = headers.get("content-length", "0")
        if not re.fullmatch(r"[0-9]{1,18}", length):
            raise ProblemDetails(
                HTTPStatus.BAD_REQUEST,
                f"Content-Length must be a number. Received {length[:40]!r}.",
            )
        if int(length) > self._max_bytes:
            raise self._too_large()

    def _too_large(self) -> ProblemDetails:
        return ProblemDetails(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"The body must have at most {self._max_bytes:,} bytes. Send a smaller image, or fewer "
            "at a time.",
            headers={"Connection": "close"},
        )


async def find_uploads(request: Request, body: bytes) -> list[Upload]:
    """Return the images of a body: of a form, of a JSON object, or the body itself.

    Raises:
        ProblemDetails: 400 or 422 if there is none, 415 if its type is none of these.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == _MULTIPART:
        uploads = await _from_form(request.headers, body)
    elif kind == _JSON:
        uploads = _from_json(body)
    elif not kind or kind.startswith(("image/", "video/")) or kind == "application/octet-stream":
        uploads = [Upload("<bytes>", body)] if body else []
    else:
        raise ProblemDetails(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"Content-Type must be image/*, {_MULTIPART} or {_JSON}. Received {kind[:60]!r}.",
        )
    if not uploads:
        raise ProblemDetails(
            HTTPStatus.UNPROCESSABLE_ENTITY, "The body must hold an image. Received none."
        )
    if len(uploads) > MAX_IMAGES:
        raise ProblemDetails(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"A request must hold at most {MAX_IMAGES} images. Received {len(uploads)}.",
        )
    return uploads


class _FormParser(MultiPartParser):
    """Keeps files in memory, whose size `Bodies` bounds."""

    spool_max_size = 0  # no limit: nothing is written to disk


async def _from_form(headers: Headers, body: bytes) -> list[Upload]:
    async def pieces() -> AsyncGenerator[bytes]:
        yield body

    try:
        form = await _FormParser(headers, pieces(), max_files=MAX_IMAGES, max_fields=16).parse()
    except (MultiPartException, KeyError, ValueError) as error:
        reason = getattr(error, "message", "it is damaged")
        raise ProblemDetails(
            HTTPStatus.BAD_REQUEST, f"The form must be {_MULTIPART}: {reason}"
        ) from error
    uploads: list[Upload] = []
    for name, value in form.multi_items():
        if not isinstance(value, UploadFile):
            raise ProblemDetails(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                f"The form must hold files. Received text in the field {name[:60]!r}. "
                "Options belong to the query, such as ?emotions=calm,anger",
            )
        uploads.append(Upload(_file_name(value.filename), await value.read()))
        await value.close()
    return uploads


def _file_name(name: str | None) -> str:
    """The last part of a file name, whatever the client's system is."""
    last = re.split(r"[/\\]", name or "")[-1].strip()
    return last[:200] or "<bytes>"


def read_json(body: bytes) -> dict[str, Any]:
    """Return the object of a JSON body.

    Raises:
        ProblemDetails: 400 if it is not JSON, or no object.
    """

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON number")

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
    return [Upload("<bytes>", decode_base64(each)) for each in given]


def decode_base64(text: object) -> bytes:
    """Return what a base64 text or a data URL stands for.

    Raises:
        ProblemDetails: 422 if it is neither.
    """
    if not isinstance(text, str):
        kind = type(text).__name__
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


def choose_model(model: FERModel, query: Mapping[str, str]) -> FERModel:
    """Return the model with the emotions, prior and least confidence that a query asks for.

    Raises:
        ProblemDetails: 422 if one of them is none.
    """
    prior: Prior | None = None
    confidence: float | None = None
    try:
        with naming(target_emotions="emotions"):
            emotions = split_labels(query["emotions"]) if "emotions" in query else None
            prior = split_prior(query["prior"]) if "prior" in query else None
            confidence = number(query, "min_confidence", 0.0)
            if emotions is prior is None and "min_confidence" not in query:
                return model
            return model.with_options(
                emotions,
                prior=prior,
                min_confidence=confidence if "min_confidence" in query else None,
            )
    except EmoPyError as error:
        raise refusal(error) from error


def number(query: Mapping[str, str], name: str, default: float) -> float:
    """Return a finite number of a query.

    Raises:
        InputError: It is none.
    """
    text = query.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", text[:40], re.ASCII):
        raise InputError(f"`{name}` must be a number. Received {text[:40]!r}.")
    return float(text)


def read_boxes(query: Mapping[str, str]) -> list[Box] | None:
    """Return the boxes of a query: ``boxes=left,top,right,bottom;left,…``; None for none.

    Raises:
        ProblemDetails: 422 if one is no box.
    """
    text = query.get("boxes")
    if text is None:
        return None
    boxes: list[Box] = []
    try:
        for each in text.split(";") if text else ():
            edges = [number({"boxes": edge.strip()}, "boxes", 0.0) for edge in each.split(",")]
            if len(edges) != 4:
                raise InputError("four numbers")
            boxes.append(Box(*edges))
    except InputError as error:
        raise ProblemDetails(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "boxes must be left,top,right,bottom in pixels, separated by semicolons. "
            f"Received {text[:60]!r}.",
        ) from error
    return boxes


def check_query(query: Sequence[tuple[str, str]], known: Sequence[str]) -> dict[str, str]:
    """Return a query in which every name is known and stands once.

    Raises:
        ProblemDetails: 422 if not.
    """
    found: dict[str, str] = {}
    for name, value in query:
        if name not in known:
            names = ", ".join(known)
            raise ProblemDetails(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                f"The query must have known names only: {names}. Received {name[:60]!r}.",
            )
        if name in found or len(value) > _MAX_TEXT:
            raise ProblemDetails(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                f"{name} must stand once in the query, with at most {_MAX_TEXT} characters.",
            )
        found[name] = value
    return found


def refusal(error: EmoPyError) -> ProblemDetails:
    """Return the problem 422 for an input that cannot be used."""
    return ProblemDetails(HTTPStatus.UNPROCESSABLE_ENTITY, str(error).replace("`", ""))
