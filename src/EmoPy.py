"""The old package name: ``from EmoPy.src.fermodel import FERModel`` keeps working.

A file, not a folder: on macOS and Windows a folder of this name would be ``emopy`` itself.
`emopy.legacy.old_modules` provides the old modules.
"""

from __future__ import annotations

import typing

from emopy import legacy
from emopy.legacy import old_modules

if typing.TYPE_CHECKING:
    from emopy.legacy.fermodel import FERModel

__all__ = ["FERModel"]
__path__ = legacy.__path__

old_modules.install()


def __getattr__(name: str) -> object:
    if name != "FERModel":
        raise AttributeError(f"module 'EmoPy' has no attribute {name!r}")
    from emopy.legacy import fermodel

    old_modules.warn_of_old_name("EmoPy.FERModel", "from emopy import FERModel")
    globals()[name] = fermodel.FERModel
    return fermodel.FERModel
