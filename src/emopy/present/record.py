"""`as_record`: a result as plain numbers and text, the same for every table and service."""

from __future__ import annotations

import math
from typing import Any

from emopy.types import Face, FacePrediction, FailedInput, ImageResult

SIGNIFICANT_DIGITS = 6
"""Digits kept of every number: float32 carries about seven."""


def as_record(result: ImageResult | FailedInput) -> dict[str, Any]:
    """Turn a result into a dictionary that JSON can hold.

    Every record has the same keys, so that a table of them has the same columns: ``source``,
    ``width``, ``height``, ``faces``, ``error``; a video frame also has ``time_s`` and ``frame``.
    Numbers keep six significant digits, times microseconds; NaN becomes None.

    Args:
        result: One image's faces, or the reason why it could not be read.

    Returns:
        The record. Faces are numbered from 1, in the order of the result. ``error`` is None
        where all went well; ``width`` and ``height`` are None where it did not.

    Example:
        >>> as_record(ImageResult("a.jpg", (640, 480)))["faces"]
        []
    """
    source = writable(result.source)
    if isinstance(result, FailedInput):
        error = writable(str(result.error)) or type(result.error).__name__
        return {"source": source, "width": None, "height": None, "faces": [], "error": error}
    width, height = result.size
    record: dict[str, Any] = {"source": source, "width": int(width), "height": int(height)}
    if result.time_s is not None:
        record["time_s"] = microseconds(result.time_s)
    if result.frame is not None:
        record["frame"] = int(result.frame)
    record["faces"] = [_face(number, found) for number, found in enumerate(result.faces, start=1)]
    record["error"] = None
    return record


def rounded(value: float) -> float | None:
    """A number with six significant digits; None for NaN and infinity, which JSON lacks."""
    number = float(value)
    return float(f"{number:.{SIGNIFICANT_DIGITS}g}") if math.isfinite(number) else None


def microseconds(time_s: float) -> float:
    """A time to the microsecond: after hours, six significant digits would lose frames."""
    return round(float(time_s), 6)


def writable(text: str) -> str:
    r"""Text that UTF-8 can hold: undecodable bytes of a file name become ``\udcff``."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _face(number: int, found: FacePrediction) -> dict[str, Any]:
    face = found.face
    record: dict[str, Any] = {
        "face": number,
        "box": {edge: rounded(getattr(face.box, edge)) for edge in _EDGES},
        "score": rounded(face.score),
        "landmarks": _landmarks(face),
        "emotion": found.emotion,
        "confidence": rounded(found.confidence),
        "probabilities": {label: rounded(p) for label, p in found.probabilities.items()},
    }
    if face.track is not None:
        record["track"] = int(face.track)
    return record


_EDGES = ("left", "top", "right", "bottom")


def _landmarks(face: Face) -> list[list[float | None]] | None:
    if face.landmarks is None:
        return None
    return [[rounded(x), rounded(y)] for x, y in face.landmarks]
