"""Face detectors: the interface, the names, the accepted forms of faces, and `FullImage`."""

from __future__ import annotations

import inspect
import reprlib
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import entry_points
from typing import Any, Protocol, TypeAlias, TypeVar, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from emopy.errors import InputError, ModelNotFoundError, nearest, with_article
from emopy.faces.alignment import broken_rule
from emopy.types import Box, Face, FacePrediction, RGBImage, check_rgb

_FORMS = (
    "Face; or boxes (n, 4) with left, top, right, bottom, or (n, 5) with the score; or (boxes, "
    "scores) or (boxes, scores, landmarks) as arrays."
)
"""The accepted forms, in words: the end of a sentence that says what must be given."""

_ACCEPTED = f"`detector` must return a tuple of {_FORMS}"

OwnFaces: TypeAlias = (
    Iterable[Face | FacePrediction | Box | Sequence[float]]
    | NDArray[Any]
    | tuple[NDArray[Any], ...]
)
"""Faces that a caller names: a list of faces or boxes, or arrays, see `to_faces`."""

ENTRY_POINTS = "emopy.detectors"
"""Entry point group in which an installed package offers detectors: name = factory."""


@runtime_checkable
class Detector(Protocol):
    """A function or callable object that finds faces."""

    def __call__(self, image: RGBImage) -> tuple[Face, ...]:
        """Find faces in a (H, W, 3) uint8 RGB image of any size from 1 × 1, largest first."""
        ...


Factory = Callable[..., Detector]
_F = TypeVar("_F", bound=Factory)
_factories: dict[str, Factory] = {}


def register_detector(name: str) -> Callable[[_F], _F]:
    """Decorate a class or function that takes settings and returns a detector, to register it.

    Args:
        name: The name, as in ``FERModel(detector=name)``. A name already taken is refused.

    Raises:
        InputError: The name is taken by something else.

    Example:
        >>> @register_detector("nobody")
        ... class Nobody:
        ...     def __call__(self, image):
        ...         return ()
        >>> "nobody" in list_detectors()
        True
    """

    def register(factory: _F) -> _F:
        if name in _factories and _factories[name] is not factory:
            raise InputError(
                f"`name` must be free. Received {name!r}, which is taken. "
                f"Taken: {', '.join(sorted(_factories))}."
            )
        _factories[name] = factory
        return factory

    return register


def list_detectors() -> tuple[str, ...]:
    """Return the names that `get_detector` knows, in alphabetical order."""
    installed = {entry.name for entry in entry_points(group=ENTRY_POINTS)}
    return tuple(sorted(installed | _factories.keys()))


def get_detector(detector: str | Detector, **settings: Any) -> Detector:
    """Return a detector that is ready to be called.

    Args:
        detector: A name from `list_detectors`, or a detector, which is returned unchanged.
        settings: Passed to the detector of that name, such as ``min_face_size=40`` for
            ``"mtcnn"``.

    Raises:
        ModelNotFoundError: Unknown name; the error lists the nearest ones.
        InputError: Not a detector, or settings that it does not know.

    Example:
        >>> type(get_detector("full-image")).__name__
        'FullImage'
    """
    if not isinstance(detector, str):
        return _checked_detector(detector, settings)
    factory = _factory(detector)
    parameters = inspect.signature(factory).parameters
    takes_any = any(item.kind is item.VAR_KEYWORD for item in parameters.values())
    for name in () if takes_any else settings:
        if name not in parameters:
            hint = nearest(name, parameters) if parameters else "It has no settings."
            raise InputError(
                f"`{name}` must be a setting of the detector {detector!r}. Leave it out. {hint}"
            )
    return factory(**settings)


def detector_with_threads(
    detector: str | Detector, threads: int | None, **settings: Any
) -> Detector:
    """Return what `get_detector` does; a named one that has the setting `threads` gets it.

    Raises:
        ModelNotFoundError: As `get_detector`.
        InputError: As `get_detector`.
    """
    if threads is None or not isinstance(detector, str):
        return get_detector(detector, **settings)
    if "threads" in inspect.signature(_factory(detector)).parameters:
        settings["threads"] = threads
    return get_detector(detector, **settings)


def _factory(name: str) -> Callable[..., Detector]:
    return _factories.get(name) or _load_entry_point(name)


def check_min_score(min_score: float) -> None:
    """Raise `InputError` unless `min_score`, a setting of detectors, is between 0 and 1."""
    if not 0 < min_score < 1:
        raise InputError(
            f"`min_score` must be between 0 and 1. Received {min_score}. Type for example: 0.9"
        )


def detect(detector: Callable[[RGBImage], object], image: RGBImage) -> tuple[Face, ...]:
    """Call a detector and return its faces, in its order.

    Args:
        detector: Returns the faces as `Face` records, or as arrays: boxes (n, 4) of left, top,
            right and bottom in pixels; (n, 5) with the score; or a tuple (boxes, scores), or
            (boxes, scores, landmarks) with scores (n,) and landmarks (n, 5, 2).
        image: (H, W, 3) uint8 RGB.

    Raises:
        InputError: Not an RGB image, or the detector returns something else, or a face that is
            not in the image.

    Example:
        >>> import numpy as np
        >>> image = np.zeros((48, 48, 3), np.uint8)
        >>> detect(lambda image: [(10, 10, 40, 40)], image)[0].box
        Box(left=10.0, top=10.0, right=40.0, bottom=40.0)
    """
    check_rgb(image)
    found = detector(image)
    try:
        faces = to_faces(found)
    except InputError as error:
        raise InputError(f"{_ACCEPTED} Received faces that do not fit: {error}") from error
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{_ACCEPTED} Received {_describe(found)}. Return () where there is no face."
        ) from error
    for face in faces:
        if rule := broken_rule(face, image):
            raise InputError(f"`detector` must return faces that each have {rule}.")
    return faces


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
            f"`faces` must be a list of {_FORMS} Received faces that do not fit: {error}"
        ) from error
    except (TypeError, ValueError) as error:
        hint = "Give () where there is no face."
        if isinstance(given, Box | Face | FacePrediction) or _is_one_box(given):
            hint = "Put a single face into a list: faces=[(left, top, right, bottom)]"
        elif _has_other_rows(given):
            hint = "A box has four numbers: left, top, right, bottom."
        raise InputError(
            f"`faces` must be a list of {_FORMS} Received {_describe(given)}. {hint}"
        ) from error


def check_own_faces(faces: tuple[Face, ...], image: RGBImage, source: str) -> None:
    """Raise InputError if one of the argument `faces` is no face of its image, called `source`."""
    for number, face in enumerate(faces, start=1):
        if rule := broken_rule(face, image):
            raise InputError(
                f"`faces` must each have {rule} as face {number} of {source!r}. "
                "Give pixels of this image: left, top, right, bottom."
            )


def largest_first(faces: Iterable[Face]) -> tuple[Face, ...]:
    """Sort faces by the area of their boxes, largest first; equal ones keep their order."""
    return tuple(sorted(faces, key=lambda face: -face.box.width * face.box.height))


@register_detector("full-image")
class FullImage:
    """Return the full image as one face, for images that are face crops already.

    Nothing is detected or rotated: `align_face` only resizes.

    Example:
        >>> import numpy as np
        >>> FullImage()(np.zeros((48, 40, 3), np.uint8))[0].box
        Box(left=0.0, top=0.0, right=40.0, bottom=48.0)
    """

    def __call__(self, image: RGBImage) -> tuple[Face, ...]:
        """Return one face whose box is the (H, W, 3) image."""
        check_rgb(image)
        height, width = image.shape[:2]
        return (Face(Box(0.0, 0.0, float(width), float(height))),)


def _checked_detector(detector: Detector, settings: dict[str, Any]) -> Detector:
    if not callable(detector) or isinstance(detector, type):
        raise InputError(
            "`detector` must be a name or a callable from RGB image to faces. "
            f"Received {detector!r}. Type one of: {', '.join(list_detectors())}"
        )
    if settings:
        raise InputError(
            "`settings` must go with the name of a detector. "
            f"Received {', '.join(settings)} with a detector that is already made."
        )
    return detector


def _load_entry_point(name: str) -> Factory:
    for entry in entry_points(group=ENTRY_POINTS, name=name):
        return cast(Factory, entry.load())
    raise ModelNotFoundError(
        f"`detector` must be a known detector. Received {name!r}. "
        + nearest(name, list_detectors())
    )


def _describe(given: Any) -> str:
    """What was given in place of faces, in a few words."""
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
