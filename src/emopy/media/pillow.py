"""Pillow: keep it silent while it decodes, explain what it raises, and recognize animations.

The switches that keep Pillow and libtiff silent belong to the whole process: they are set for a
moment only, by one thread at a time, and put back. A fork waits for that moment to end.
"""

from __future__ import annotations

import ctypes
import logging
import os
import warnings
from collections.abc import Generator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any, BinaryIO

from PIL import Image

from emopy.errors import EmoPyError, ImageWarning, InputError
from emopy.forking import fork_safe_lock
from emopy.media.paths import explain_os_errors

# Python prints errors that Pillow logs where a program has set up no logging; this handler prevents
# that, and does not change a program's own logging.
logging.getLogger("PIL").addHandler(logging.NullHandler())
PILLOW_LOCK = fork_safe_lock()
"""Held while Pillow's switches are set, and while a PIL image of the caller is loaded."""


def warn(text: str) -> None:
    """Show an `ImageWarning`, also while another thread suppresses Pillow's warnings."""
    with PILLOW_LOCK:
        warnings.warn(text, ImageWarning, stacklevel=2)


@contextmanager
def quiet_pillow() -> Generator[None]:
    """Suppress Pillow's warnings and its own size limit: `max_pixels` is the limit here."""
    with PILLOW_LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        limit = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit


@contextmanager
def quiet_tiff() -> Generator[None]:
    """Suppress Pillow's warnings about TIFF tags and the messages that libtiff prints."""
    libtiff = _libtiff()
    silent = without_stderr() if libtiff is None else _without_handlers(libtiff)
    with quiet_pillow(), silent:
        yield


@contextmanager
def without_stderr() -> Generator[None]:
    """Discard what the process writes to standard error."""
    try:
        kept = os.dup(2)
    except OSError:  # there is none
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


@contextmanager
def explain_damage(name: str, *, kind: str) -> Generator[None]:
    """Turn what Pillow raises on a damaged file into an error that says what to do.

    Args:
        name: The source, for error messages.
        kind: What the source must be, such as ``"image"``.

    Raises:
        InputError: Instead of any exception inside that is not of EmoPy.
    """
    try:
        yield
    except (EmoPyError, ImageWarning):
        raise
    except MemoryError as error:
        raise InputError(
            f"`source` must fit into the free memory. Received {name!r}. Use fewer threads, or "
            "make it smaller."
        ) from error
    except Exception as error:  # Pillow raises anything on damaged files
        raise InputError(
            f"`source` must be a whole {kind}. Received {name!r}: damaged or truncated "
            f"({reason(error)}). Copy or download the file again."
        ) from error


def reason(error: Exception) -> str:
    """Return the text of an exception, or its type where it has no text."""
    return str(error).rstrip(".") or type(error).__name__


def is_animation(path: str) -> bool:
    """Return whether an image file holds several frames: an animated GIF, WebP, PNG or AVIF."""
    suffix = os.path.splitext(path)[1].lower()  # noqa: PTH122
    if suffix == ".gif":
        with suppress(Exception), quiet_pillow(), Image.open(path, formats=["GIF"]) as image:
            return bool(getattr(image, "is_animated", False))
    elif suffix == ".png":
        with suppress(OSError), open(path, "rb") as file:  # noqa: PTH123
            return _has_frames(file)
    elif suffix == ".avif":
        with suppress(OSError), open(path, "rb") as file:  # noqa: PTH123
            return file.read(12)[4:] == b"ftypavis"
    return suffix == ".webp" and is_animated_webp(path)


def _has_frames(file: BinaryIO) -> bool:
    """Whether a PNG file has the chunk of an animation, before that of its pixels (PNG 3, 5.6)."""
    file.seek(8)
    while len(head := file.read(8)) == 8 and head[4:] != b"IDAT":
        if head[4:] == b"acTL":
            return True
        file.seek(int.from_bytes(head[:4], "big") + 4, os.SEEK_CUR)
    return False


def is_animated_webp(path: str) -> bool:
    """Return whether a path is a file that holds an animated WebP."""
    if not os.path.isfile(path):  # noqa: PTH113
        return False
    with explain_os_errors(path), open(path, "rb") as file:  # noqa: PTH123
        start = file.read(21).ljust(21, b"\0")
    # RFC 9649, 2.7: the bit of the extended header that says so.
    return start[:4] == b"RIFF" and start[8:16] == b"WEBPVP8X" and bool(start[20] & 2)


@contextmanager
def _without_handlers(libtiff: Any) -> Generator[None]:
    error = libtiff.TIFFSetErrorHandler(None)
    warning = libtiff.TIFFSetWarningHandler(None)
    try:
        yield
    finally:
        libtiff.TIFFSetErrorHandler(error)
        libtiff.TIFFSetWarningHandler(warning)


@cache
def _libtiff() -> Any:
    """The libtiff that Pillow uses, or None where it is not a separate library (Windows)."""
    try:
        # A symbol is looked up in a library and in all that it was linked to.
        library: Any = ctypes.CDLL(Image.core.__file__)
        for name in ("TIFFSetErrorHandler", "TIFFSetWarningHandler"):
            setter = getattr(library, name)
            setter.argtypes, setter.restype = [ctypes.c_void_p], ctypes.c_void_p
    except (OSError, AttributeError, TypeError):
        return None
    return library
