"""Keep Pillow and libtiff silent while they decode.

The switches for that belong to the whole process: they are set for a moment only, by one thread at
a time, and put back. A fork waits for that moment to end.
"""

from __future__ import annotations

import ctypes
import logging
import os
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from typing import Any

from PIL import Image

from emopy.errors import ImageWarning
from emopy.forking import fork_safe_lock

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
