"""EmoPy predicts facial expressions in images, videos and camera streams, and trains models.

Start here::

    from emopy import FERModel

    for face in FERModel().predict("group.jpg").faces:
        print(face.box, face.emotion, face.confidence)

Names are imported when they are first used, so that ``import emopy`` costs next to nothing.
"""

from __future__ import annotations

import importlib
import typing

if typing.TYPE_CHECKING:
    from emopy.errors import (
        DataError,
        EmoPyError,
        ImageWarning,
        InputError,
        LabelError,
        MissingExtraError,
        ModelError,
        ModelNotFoundError,
        RecipeError,
    )
    from emopy.explain import Explanation
    from emopy.fermodel import FERModel
    from emopy.labels import ALL_EMOTIONS, STANDARD_EMOTIONS, Emotion
    from emopy.present import to_arrow, to_frame
    from emopy.present.draw import draw
    from emopy.types import (
        Box,
        Face,
        FacePrediction,
        FailedInput,
        Frame,
        ImageResult,
        Prediction,
    )

__version__ = "1.0.0rc1"

__all__ = [
    "ALL_EMOTIONS",
    "STANDARD_EMOTIONS",
    "Box",
    "DataError",
    "EmoPyError",
    "Emotion",
    "Explanation",
    "FERModel",
    "Face",
    "FacePrediction",
    "FailedInput",
    "Frame",
    "ImageResult",
    "ImageWarning",
    "InputError",
    "LabelError",
    "MissingExtraError",
    "ModelError",
    "ModelNotFoundError",
    "Prediction",
    "RecipeError",
    "__version__",
    "draw",
    "to_arrow",
    "to_frame",
]

_HOMES = {
    "emopy.explain": ("Explanation",),
    "emopy.fermodel": ("FERModel",),
    "emopy.labels": ("ALL_EMOTIONS", "STANDARD_EMOTIONS", "Emotion"),
    "emopy.present": ("to_arrow", "to_frame"),
    "emopy.present.draw": ("draw",),
    "emopy.types": (
        *("Box", "Face", "FacePrediction", "FailedInput", "Frame", "ImageResult", "Prediction"),
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'emopy' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME_OF.get(name, "emopy.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
