"""Faces as `Face` records, from the forms in which detectors and callers give them."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from emopy.errors import InputError, with_article
from emopy.faces.alignment import broken_rule
from emopy.types import Box, Face, FacePrediction, RGBImage

FORMS = (
    "Face; or boxes (n, 4) with left, top, right, bottom, or (n, 5) with the score; or (boxes, "
    "scores) or (boxes, scores, landmarks) as arrays."
)
"""The accepted forms, in words: the end of a sentence that says what must be given."""


OwnFaces: TypeAlias = (
    Iterable[Face | FacePrediction | Box | Sequence[float]]
    | NDArray[Any]
    | tuple[NDArray[Any], ...]
)
"""Faces that a caller names: a list of faces or boxes, or arrays, see `to_faces`."""


def to_faces(given: Any) -> tuple[Face, ...]:
    """Convert faces of any accepted form to records, in their order.

    Args:
        given: An iterable of `Face`, `FacePrediction`, `Box`, or rows of left, top, right and
            bottom in pixels, with or without the score, such as an array (n, 4) or (n, 5); or a
            tuple (boxes, scores) or (boxes, scores, landmarks) of arrays (n, 4), (n,) and
            (n, 5, 2). The score is 1 where there is none.

    Raises:
        InputError: Edges that are not finite, or in the wrong order.
        TypeError: Another form.
        ValueError: Another form.
    """
    parts: tuple[Any, ...] = given if issubclass(type(given), tuple) else ()
    if len(parts) not in (2, 3) or isinstance(parts[0], Face) or np.ndim(parts[0]) != 2:
        return tuple(_to_face(item) for item in given)
    boxes, scores = np.asarray(parts[0], np.float64), np.asarray(parts[1], np.float64)
    if boxes.shape[1] != 4 or scores.shape != (len(boxes),):
        raise ValueError((boxes.shape, scores.shape))
    if len(parts) == 2:
        return tuple(map(_from_row, np.column_stack([boxes, scores])))
    landmarks = np.array(parts[2], np.float32)  # a copy: the array may change afterwards
    if landmarks.shape != (len(boxes), 5, 2):
        raise ValueError(landmarks.shape)
    return tuple(map(_from_row, np.column_stack([boxes, scores]), landmarks))


def own_faces(given: OwnFaces) -> tuple[Face, ...]:
    """Convert the argument `faces`, with which a caller names the faces of an image.

    Args:
        given: As for `to_faces`.

    Raises:
        InputError: Another form, or edges that are not finite or in the wrong order.

    Example:
        >>> own_faces([(10, 10, 40, 40), Box(5, 5, 9, 9)])[0].box
        Box(left=10.0, top=10.0, right=40.0, bottom=40.0)
    """
    try:
        return to_faces(given)
    except InputError as error:
        raise InputError(
            f"`faces` must be a list of {FORMS} Received faces that do not fit: {error}"
        ) from error
    except (TypeError, ValueError) as error:
        hint = "Give () where there is no face."
        if isinstance(given, Box | Face | FacePrediction) or _is_one_box(given):
            hint = "Put a single face into a list: faces=[(left, top, right, bottom)]"
        elif _has_other_rows(given):
            hint = "A box has four numbers: left, top, right, bottom."
        raise InputError(
            f"`faces` must be a list of {FORMS} Received {describe(given)}. {hint}"
        ) from error


def check_own_faces(faces: tuple[Face, ...], image: RGBImage, source: str) -> None:
    """Raise InputError if one of the argument `faces` is no face of its image, called `source`."""
    for number, face in enumerate(faces, start=1):
        if rule := broken_rule(face, image):
            raise InputError(
                f"`faces` must each have {rule} as face {number} of {source!r}. "
                "Give pixels of this image: left, top, right, bottom."
            )


def describe(given: Any) -> str:
    """Say in a few words what was given in place of faces."""
    if issubclass(type(given), np.ndarray):
        return f"an array of shape {np.shape(given)}"
    if given is None:
        return "None"
    return f"{with_article(type(given).__name__)}: {reprlib.repr(given)}"


def _to_face(item: Any) -> Face:
    if isinstance(item, Face):
        return item
    if isinstance(item, FacePrediction):
        return item.face
    return Face(item) if isinstance(item, Box) else _from_row(np.asarray(item, np.float64))


def _from_row(row: NDArray[np.float64], landmarks: NDArray[np.float32] | None = None) -> Face:
    if row.shape not in ((4,), (5,)):
        raise ValueError(row.shape)
    left, top, right, bottom, score = (*row.tolist(), 1.0)[:5]
    return Face(Box(left, top, right, bottom), score, landmarks)


def _has_other_rows(given: object) -> bool:
    """Whether faces are rows of numbers, of which one has not as many as a box."""
    try:
        return any(
            np.asarray(row, np.float64).shape not in ((4,), (5,)) for row in cast(Any, given)
        )
    except (TypeError, ValueError):
        return False


def _is_one_box(given: object) -> bool:
    try:
        return np.asarray(cast(Any, given), np.float64).shape in ((4,), (5,))
    except (TypeError, ValueError):
        return False
