"""What an old module says when it is imported."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping


def old_name(old: str, new: str) -> None:
    """Warn whoever imports the calling module; Python shows it once per importing line.

    Args:
        old: The name that was imported.
        new: The line to write today.
    """
    # The frames: this function, the old module, the line that imports it.
    warnings.warn(f"`{old}` is an old name. Type: {new}", DeprecationWarning, stacklevel=3)


def successors(module: str, new: Mapping[str, str]) -> Callable[[str], object]:
    """A ``__getattr__`` for a module whose names have no adapter: each says what is there today.

    Args:
        module: The old module.
        new: For each of its public names, the line to write today.

    Returns:
        A function that raises ImportError for those names: unlike AttributeError, it reaches
        ``from module import name`` with its text.
    """

    def find(name: str) -> object:
        if name in new:
            raise ImportError(f"`{module}.{name}` is no more. Type: {new[name]}")
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return find
