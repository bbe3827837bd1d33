"""What a face detector is, and the names that detectors answer to."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from importlib.metadata import entry_points
from typing import Any, Protocol, TypeVar, cast, runtime_checkable

from emopy.errors import InputError, ModelNotFoundError, nearest
from emopy.types import Face, RGBImage

ENTRY_POINTS = "emopy.detectors"
"""Group in which an installed package offers detectors: name = factory."""


@runtime_checkable
class Detector(Protocol):
    """Anything that finds faces: a function or an object that can be called."""

    def __call__(self, image: RGBImage) -> tuple[Face, ...]:
        """Find faces.

        Args:
            image: (H, W, 3) uint8, red first, any size from 1 × 1.

        Returns:
            Faces, largest first; empty where there is none.
        """
        ...


Factory = Callable[..., Detector]
_F = TypeVar("_F", bound=Factory)
_factories: dict[str, Factory] = {}


def register_detector(name: str) -> Callable[[_F], _F]:
    """Make a detector known under a name.

    Args:
        name: The name, as in ``FERModel(detector=name)``. A name already taken is refused.

    Returns:
        A decorator for a class or function that takes settings and returns a detector.

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
    """Names that `get_detector` knows, in alphabetical order."""
    offered = {entry.name for entry in entry_points(group=ENTRY_POINTS)}
    return tuple(sorted(offered | _factories.keys()))


def largest_first(faces: Iterable[Face]) -> tuple[Face, ...]:
    """Order faces by the area of their boxes, as a detector should give them.

    Whoever takes one face of several takes the first: the largest is mostly the nearest.

    Args:
        faces: In any order.

    Returns:
        The same faces; equal ones keep their order.
    """
    return tuple(sorted(faces, key=lambda face: -face.box.width * face.box.height))


def get_detector(detector: str | Detector, **settings: Any) -> Detector:
    """Give a detector that is ready to be called.

    Args:
        detector: A name of `list_detectors`, or a detector, which comes back as it is.
        settings: Given to the detector of that name, such as ``min_face_size=40`` for ``"mtcnn"``.

    Raises:
        ModelNotFoundError: Unknown name; says the nearest ones.
        InputError: Not a detector, or settings that it does not know.

    Example:
        >>> type(get_detector("full-image")).__name__
        'FullImage'
    """
    if not isinstance(detector, str):
        return _ready(detector, settings)
    factory = _factories.get(detector) or _offered(detector)
    parameters = inspect.signature(factory).parameters
    flexible = any(item.kind is item.VAR_KEYWORD for item in parameters.values())
    for name in () if flexible else settings:
        if name not in parameters:
            hint = nearest(name, parameters) if parameters else "It has no settings."
            raise InputError(
                f"`settings` must be known to the detector {detector!r}. Received {name!r}. {hint}"
            )
    return factory(**settings)


def _ready(detector: Detector, settings: dict[str, Any]) -> Detector:
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


def _offered(name: str) -> Factory:
    for entry in entry_points(group=ENTRY_POINTS, name=name):
        return cast(Factory, entry.load())
    raise ModelNotFoundError(
        f"`detector` must be a known detector. Received {name!r}. "
        + nearest(name, list_detectors())
    )
