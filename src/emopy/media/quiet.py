"""Keep decoders quiet: no warning, nothing on standard error, no limit but our own.

What is switched here belongs to the whole process. So Pillow's limit and libtiff's messages are
switched for moments only, by one thread at a time, and put back as they were; JPEG, PNG and WebP
decode without any of it. OpenCV's log level alone is kept for longer, from the opening of a camera
to its closing: drivers complain at any time.
"""

from __future__ import annotations

import ctypes
import logging
import os
import threading
import warnings
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import Any

import cv2
from PIL import Image

_LOCK = threading.Lock()
_opencv_levels: list[int] = []  # what to put back, once for each that keeps OpenCV quiet

# Where a program has set up no logging, Python prints errors that Pillow logs; a handler that
# does nothing prevents that, and leaves a program's own logging alone.
logging.getLogger("PIL").addHandler(logging.NullHandler())


@contextmanager
def quiet_pillow() -> Generator[None]:
    """Keep Pillow from warning, and from refusing by size: `max_pixels` rules here."""
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        limit = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit


@contextmanager
def quiet_tiff() -> Generator[None]:
    """Decode TIFF quietly: Pillow may warn of tags, and libtiff prints its complaints."""
    with quiet_pillow(), without_handlers() if _libtiff() is not None else without_stderr():
        yield


def without_handlers() -> AbstractContextManager[None]:
    """Take libtiff's message handlers away for a while."""
    return _without_handlers(_libtiff())


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
    """The libtiff that Pillow uses, or None where it is not a library of its own (Windows)."""
    try:
        # A symbol is looked up in a library and in all that it was linked to.
        library: Any = ctypes.CDLL(Image.core.__file__)
        for name in ("TIFFSetErrorHandler", "TIFFSetWarningHandler"):
            setter = getattr(library, name)
            setter.argtypes, setter.restype = [ctypes.c_void_p], ctypes.c_void_p
    except (OSError, AttributeError, TypeError):
        return None
    return library


@contextmanager
def without_stderr() -> Generator[None]:
    """Send what the process writes to standard error nowhere for a while."""
    try:
        kept = os.dup(2)
    except OSError:  # there is none: nothing to hide
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
def quiet_opencv() -> Generator[None]:
    """Keep OpenCV from logging; within one another, the last to leave puts the level back."""
    with _LOCK:
        if not _opencv_levels:
            _opencv_levels.append(cv2.utils.logging.getLogLevel())
            cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        else:
            _opencv_levels.append(_opencv_levels[0])
    try:
        yield
    finally:
        with _LOCK:
            level = _opencv_levels.pop()
            if not _opencv_levels:
                cv2.utils.logging.setLogLevel(level)
