"""Every error EmoPy raises on purpose.

    EmoPyError
    ├── InputError(ValueError)        unreadable or unusable image, video, argument
    ├── LabelError(ValueError)        unknown or too few emotions
    ├── DataError(ValueError)         empty, unreadable, leaking or mislabeled data
    ├── RecipeError(ValueError)       unknown key, bad value
    ├── ModelError                    folder missing, damaged, card ≠ weights
    │   └── ModelNotFoundError(LookupError)
    └── MissingExtraError(ImportError)

    ImageWarning(UserWarning)         an image that is read, but probably not as it was meant

Each class also inherits from the builtin that people already catch. Wording everywhere:
*`argument` must be <rule>. Received <value>. <What to do instead>.* Arguments stand between
backticks, alone or with a value: `fps=5`. The command line replaces them by its options.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Any

from emopy.escaping import escape_controls

__all__ = [
    "DataError",
    "EmoPyError",
    "InputError",
    "LabelError",
    "MissingExtraError",
    "ModelError",
    "ModelNotFoundError",
    "RecipeError",
    "import_extra",
    "naming",
    "nearest",
]


_MAX_TEXT = 4000


class EmoPyError(Exception):
    """Base of every error that EmoPy raises on purpose; its text is meant for the user.

    Control characters in it are escaped: it may quote the name of a file, or a server. The middle
    of a text of more than 4,000 characters is left out.
    """

    def __init__(self, text: str = "") -> None:
        text = escape_controls(text)
        if len(text) > _MAX_TEXT:
            text = f"{text[: _MAX_TEXT // 2]} … {text[-_MAX_TEXT // 4 :]}"
        super().__init__(text)

    def worded(self, rename: Callable[[str], str]) -> str:
        """Return the text with every piece of code between backticks renamed.

        Args:
            rename: From a piece of code, such as ``start_s`` or ``fps=5``, to what replaces it.
        """
        pieces = str(self).split("`")
        pieces[1:-1:2] = map(rename, pieces[1:-1:2])
        return "`".join(pieces)


class InputError(EmoPyError, ValueError):
    """An image, video or argument that cannot be read or used."""


class ImageWarning(UserWarning):
    """An image that is read, but whose values probably mean something else."""


class LabelError(EmoPyError, ValueError):
    """An emotion that is unknown, repeated, or too few of them."""


class DataError(EmoPyError, ValueError):
    """Labeled data that are empty, unreadable, leaking or mislabeled."""


class RecipeError(EmoPyError, ValueError):
    """A training recipe with an unknown key or a bad value."""


class ModelError(EmoPyError):
    """A model folder that is damaged, or whose card and weights disagree."""


class ModelNotFoundError(ModelError, LookupError):
    """A model or detector name that nothing here answers to."""


class MissingExtraError(EmoPyError, ImportError):
    """A feature whose optional dependencies are not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(
            f"{feature}: the extra `{extra}` must be installed. Type: pip install 'emopy[{extra}]'"
        )
        self._feature, self._extra = feature, extra

    def __reduce__(self) -> tuple[Any, ...]:
        return MissingExtraError, (self._feature, self._extra)


@contextmanager
def naming(**names: str) -> Generator[None]:
    """Give arguments in the errors raised inside the names that the caller uses for them.

    Args:
        **names: For an argument of what is called inside, the name in the caller's words.

    Example:
        >>> with naming(path="--out"):
        ...     raise InputError("`path` must be a file.")
        Traceback (most recent call last):
        emopy.errors.InputError: `--out` must be a file.
    """

    def rename(code: str) -> str:
        name, equals, value = code.partition("=")
        return f"{names.get(name, name)}{equals}{value}"

    try:
        yield
    except EmoPyError as error:
        error.args = (error.worded(rename),)
        raise


def import_extra(name: str, *, feature: str, extra: str) -> Any:
    """Import a module of an optional dependency when a feature needs it.

    Args:
        name: Module, such as ``"matplotlib.figure"``.
        feature: What needs it; the error starts with it.
        extra: Extra of EmoPy that installs it.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError(feature, extra) from error


def alternatives(names: Iterable[str]) -> str:
    """Join what may be given: with commas, and "or" before the last.

    Example:
        >>> alternatives([".csv", ".json", ".parquet"])
        '.csv, .json or .parquet'
    """
    return " or ".join(", ".join(names).rsplit(", ", 1))


def with_article(noun: str) -> str:
    """Put "a" or "an" before the name of a type or format, by its first letter.

    Example:
        >>> with_article("ImageResult"), with_article("list")
        ('an ImageResult', 'a list')
    """
    return f"{'an' if noun[:1].lower() in ('a', 'e', 'i', 'o') else 'a'} {noun}"


def nearest(word: str, known: Iterable[str]) -> str:
    """Say which known names are nearest to a mistyped one.

    Args:
        word: What the user typed.
        known: The names that would have been right.

    Returns:
        A sentence such as ``Did you mean 'sadness'? Known: anger, fear, sadness.``
    """
    names = list(known)
    close = difflib.get_close_matches(word[:80].lower(), names, n=2, cutoff=0.6)
    hint = "Did you mean " + " or ".join(repr(name) for name in close) + "? " if close else ""
    return f"{hint}Known: {', '.join(names)}."
