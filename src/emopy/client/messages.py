"""What the clients send, and what they make of the answers."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from emopy.bounding_box import EDGES
from emopy.errors import EmoPyError, InputError, import_extra
from emopy.types import Box, Face, FacePrediction, FailedInput, ImageResult, Prediction

if TYPE_CHECKING:
    import httpx

Image: TypeAlias = str | os.PathLike[str] | bytes | IO[bytes]
"""What is sent: a path, encoded bytes, or a binary file object."""

Boxes: TypeAlias = Iterable[Box | Sequence[float]]

DEFAULT_URL = "http://127.0.0.1:8000"

_UNNAMED = "<bytes>"
"""Name of an image or video that is sent without one: the service gets no names."""

_KEY = re.compile(r"[!-~]+")

_BUSY = (429, 503)
_LONGEST_WAIT_S = 10.0


class ServiceError(EmoPyError):
    """An answer of the service other than a result.

    Attributes:
        status: HTTP status; None if there was no answer.
    """

    def __init__(self, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.status = status


class Requests:
    """What both clients send, and what they make of the answers."""

    def __init__(
        self, url: str, *, api_key: str | None, timeout_s: float, retries: int, **options: Any
    ) -> None:
        if retries < 0:
            raise InputError(f"`retries` must be 0 or more. Received {retries}.")
        if not timeout_s > 0:
            raise InputError(f"`timeout_s` must be above 0. Received {timeout_s}.")
        if api_key and not _KEY.fullmatch(api_key):
            raise InputError(
                "`api_key` must be of printable ASCII characters without spaces. "
                "Received another one. Copy the key again."
            )
        self.httpx: Any = import_extra("httpx", feature="The client", extra="client")
        self.retries = retries
        self._options = _as_texts(options)
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self.settings: dict[str, Any] = {
            "base_url": url.rstrip("/"),
            "headers": headers,
            "timeout": timeout_s,
        }

    def query(
        self, boxes: Boxes | None = None, more: Mapping[str, object] | None = None
    ) -> dict[str, str]:
        """Return the query of a request.

        Args:
            boxes: Faces of the image; None for none.
            more: Other names and values.
        """
        found = {**self._options, **_as_texts(more or {})}
        if boxes is not None:
            edges = [
                [getattr(box, edge) for edge in EDGES] if isinstance(box, Box) else box
                for box in boxes
            ]
            found["boxes"] = ";".join(",".join(map(repr, map(float, each))) for each in edges)
        return found

    def wait_s(self, response: httpx.Response, attempt: int) -> float | None:
        """Return how long to wait before another attempt; None if there is none."""
        if response.status_code not in _BUSY or attempt >= self.retries:
            return None
        asked = response.headers.get("retry-after", "")
        seconds = float(asked) if asked.isdecimal() else 0.5 * 2**attempt
        return min(seconds, _LONGEST_WAIT_S)


def check_concurrency(concurrency: int) -> None:
    """Raise InputError unless a number of requests at the same time is 1 or more."""
    if concurrency < 1:
        raise InputError(f"`concurrency` must be 1 or more. Received {concurrency}.")


def _as_texts(options: Mapping[str, object]) -> dict[str, str]:
    return {name: _as_text(value) for name, value in options.items() if value is not None}


def _as_text(value: object) -> str:
    if isinstance(value, Mapping):
        items = cast("Mapping[str, float]", value).items()
        return ",".join(f"{label}={weight}" for label, weight in items)
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ",".join(map(str, cast("Iterable[object]", value)))
    return str(value)


def content_of(source: Image) -> tuple[str, bytes]:
    """Return the name and the content of an image or video.

    Raises:
        InputError: It cannot be read.
    """
    if isinstance(source, bytes):
        return name_of(source), source
    if isinstance(source, str | os.PathLike):
        try:
            return name_of(source), Path(source).read_bytes()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise InputError(
                f"`source` must be a readable file. Received {os.fsdecode(source)!r}: {reason}."
            ) from error
    return name_of(source), source.read()


def read_record(response: httpx.Response, name: str = _UNNAMED) -> dict[str, Any]:
    """Return the JSON object of an answer.

    Args:
        response: The answer, which has been read.
        name: Name of the image or video that was sent, for errors.

    Raises:
        InputError: The service refused the input (422).
        ServiceError: Any other failure.
    """
    try:
        found = response.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ServiceError(
            f"The service must answer with JSON. Received status {response.status_code} from "
            f"{response.url.host}. Check the address.",
            response.status_code,
        )
    record = cast("dict[str, Any]", found)
    if response.is_success:
        return record
    detail = str(record.get("detail", response.reason_phrase))
    if response.status_code == 422:
        raise InputError(_named(detail, name))
    raise ServiceError(f"{detail} (status {response.status_code})", response.status_code)


def only_result(response: httpx.Response, name: str) -> ImageResult:
    """Return the result of an answer about one image.

    Args:
        response: The answer, which has been read.
        name: Name of the image that was sent.

    Raises:
        InputError: The image cannot be read, or the service refuses it.
        ServiceError: Any other failure.
    """
    record = read_record(response, name)
    try:
        result = to_result(record["results"][0], name)
    except (LookupError, TypeError, ValueError) as error:
        raise _foreign(response) from error
    if isinstance(result, FailedInput):
        raise result.error
    return result


def models_of(response: httpx.Response) -> list[dict[str, Any]]:
    """Return the models of an answer, which has been read.

    Raises:
        ServiceError: It has none.
    """
    found = read_record(response).get("models")
    if not isinstance(found, list):
        raise _foreign(response)
    return cast("list[dict[str, Any]]", found)


def _foreign(response: httpx.Response) -> ServiceError:
    """The error for JSON that is none of this service."""
    return ServiceError(
        f"The service must answer as `emopy serve` does. Received other JSON from "
        f"{response.url.host}. Check the address.",
        response.status_code,
    )


def to_result(record: Mapping[str, Any], source: str) -> ImageResult | FailedInput:
    """Return a result of the service as the one that Python has."""
    if record["error"] is not None:
        return FailedInput(source, InputError(_named(record["error"], source)))
    size = (record["width"], record["height"])
    faces = tuple(_to_face(each) for each in record["faces"])
    return ImageResult(source, size, faces, record.get("time_s"), record.get("frame"))


def read_row(line: str, source: str) -> dict[str, Any]:
    """Return a row of a video, with its name here.

    Raises:
        ServiceError: It is none.
    """
    try:
        row: dict[str, Any] = json.loads(line)
        error = row["error"]
    except (ValueError, TypeError, KeyError) as failure:
        raise ServiceError(
            f"The service must answer with rows as JSON. Received {line[:60]!r}. Check the address."
        ) from failure
    return {**row, "source": source, "error": error and _named(error, source)}


def _named(text: str, name: str) -> str:
    """The text of an error about an image that was sent without its name."""
    return text.replace(repr(_UNNAMED), repr(name)).replace(_UNNAMED, name)


def _to_face(record: Mapping[str, Any]) -> FacePrediction:
    marks = record["landmarks"]
    face = Face(
        Box(*(record["box"][edge] for edge in EDGES)),
        record["score"],
        None if marks is None else np.array(marks, np.float32),
        record.get("track"),
    )
    labels, emotion = tuple(record["probabilities"]), record["emotion"]
    probabilities = np.array([*record["probabilities"].values()], np.float32)
    # The numbers are rounded, and the emotion must stay what the service says.
    highest = probabilities.max()
    if emotion is None:  # not sure: below the least confidence that was asked for
        probabilities = np.minimum(probabilities, np.nextafter(np.float32(1), np.float32(0)))
        least = float(np.nextafter(probabilities.max(), np.float32(1)))
        return FacePrediction(face, Prediction(labels, probabilities, least))
    if emotion in labels and labels[probabilities.argmax()] != emotion:
        probabilities[labels.index(emotion)] = np.nextafter(highest, np.float32(2))
    return FacePrediction(face, Prediction(labels, probabilities))


@contextmanager
def connection(httpx: Any) -> Generator[None]:
    """Turn failures of the connection into a `ServiceError`."""
    try:
        yield
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise InputError(
            f"`url` must be the address of a service. Received: {str(error).rstrip('.')}. "
            "Type for example: http://127.0.0.1:8000"
        ) from error
    except httpx.HTTPError as error:
        request = getattr(error, "_request", None)
        address = f" at {request.url.scheme}://{request.url.netloc.decode()}" if request else ""
        reason = str(error) or type(error).__name__
        raise ServiceError(
            f"The service{address} must answer. Received: {reason}. Start one: emopy serve"
        ) from error


def name_of(source: Image) -> str:
    """Return the name of an image in results."""
    if isinstance(source, str | os.PathLike):
        return os.fsdecode(source)
    return str(getattr(source, "name", _UNNAMED))
