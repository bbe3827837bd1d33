"""The old package name, so that ``from EmoPy.src.fermodel import FERModel`` goes on to work.

A file, not a folder: on macOS and Windows a folder of this name would be ``emopy`` itself. The
old modules are those of `emopy.legacy`; each says at import which line to write today.
"""

from __future__ import annotations

import typing

from emopy import legacy
from emopy.legacy.notice import old_name

if typing.TYPE_CHECKING:
    from emopy.legacy.adapters.predictor import FERModel

__all__ = ["FERModel"]
__path__ = legacy.__path__


def __getattr__(name: str) -> object:
    if name != "FERModel":
        raise AttributeError(f"module 'EmoPy' has no attribute {name!r}")
    from emopy.legacy.adapters import predictor

    old_name("EmoPy.FERModel", "from emopy import FERModel")
    globals()[name] = predictor.FERModel
    return predictor.FERModel
