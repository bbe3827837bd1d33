"""`extra_module`: a module of an optional dependency, or how to install it."""

from __future__ import annotations

import importlib
from typing import Any

from emopy.errors import MissingExtraError


def extra_module(name: str, *, feature: str, extra: str) -> Any:
    """Import a module when a feature needs it, so that `import emopy` stays light.

    Args:
        name: The module, such as ``matplotlib.figure``.
        feature: What needs it: how the error begins.
        extra: The extra of EmoPy that brings it.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError(feature, extra) from error
