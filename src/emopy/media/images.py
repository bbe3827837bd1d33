"""`read_image`: decode any image to RGB uint8, or raise an `InputError` that says what to do.

Pillow decodes the files, without warnings and without output on standard error. The switches for
that belong to the whole process: they are set for a moment only, by one thread at a time, and put
back; JPEG, PNG and WebP decode without them. Only the formats of `IMAGE_FORMATS` are tried, so that
no file can start another program.
"""

from __future__ import annotations

import ctypes
import io
import logging
import os
import struct
import threading
import warnings
import zlib
from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import IO, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emopy.errors import InputError
from emopy.media.arrays import check_shape, from_array, on_white, sixteen_to_eight
from emopy.media.paths import IMAGE_FORMATS, explain_os_errors, is_pipe
from emopy.types import RGBImage

ImageSource: TypeAlias = (
    str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes] | NDArray[Any] | Image.Image
)
"""What `read_image` accepts: a path, encoded bytes, a file object, an array, a PIL image."""

DEFAULT_MAX_PIXELS = 100_000_000
"""100 megapixels: 300 MB as an RGB array. A larger image is refused before it is decoded."""

_PILLOW_FORMATS = (*map(str.upper, IMAGE_FORMATS), "DIB")
_READABLE = " or ".join(", ".join(IMAGE_FORMATS).rsplit(", ", 1))

_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    EOFError,
    MemoryError,
    RuntimeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
"""Exceptions that Pillow raises on damaged files; fuzzing found no other."""

_ORIENTATION_TAG = 0x0112
# Exif 2.32, tag 274: the transposition that makes the stored image upright.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


# Python prints errors that Pillow logs where a program has set up no logging; this handler prevents
# that, and does not change a program's own logging.
logging.getLogger("PIL").addHandler(logging.NullHandler())
_PILLOW_LOCK = threading.Lock()


def describe_source(source: object) -> str:
    """Return the name of an image's source in results and errors: its path, or ``"<bytes>"`` ….

    Example:
        >>> describe_source(b"...")
        '<bytes>'
    """
    if isinstance(source, str | os.PathLike):
        return os.fsdecode(source)  # pyright: ignore[reportUnknownArgumentType]
    if isinstance(source, bytes | bytearray | memoryview):
        return "<bytes>"
    if isinstance(source, np.ndarray):
        return "<array>"
    if isinstance(source, Image.Image):
        return "<PIL image>"
    return "<file>" if hasattr(source, "read") else f"<{type(source).__name__}>"


def read_image(source: ImageSource, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> RGBImage:
    """Read an image as upright RGB.

    Gray becomes three equal channels, 16 bits are scaled to 8, transparency is composited on white,
    the EXIF orientation is applied, and an animation gives its first frame. The source is not
    changed; the result is always a new array.

    Args:
        source: Path; encoded bytes; binary file object (read from its start); array (H, W),
            (H, W, 1), (H, W, 3) RGB or (H, W, 4) RGBA as uint8 0–255, uint16 0–65535 or float
            0–1; or a PIL image.
        max_pixels: Largest width × height accepted, checked before decoding.

    Returns:
        (H, W, 3) uint8 RGB, C-contiguous, writable.

    Raises:
        InputError: No such file, a folder, empty, truncated, not an image, too large, or an array
            of another shape, dtype or range.

    Example:
        >>> read_image(np.zeros((48, 48), np.uint8)).shape
        (48, 48, 3)
    """
    name = describe_source(source)
    if isinstance(source, np.ndarray):
        array = np.asarray(source)  # without subclasses such as np.matrix
        check_shape(array)
        check_pixels(array.shape[1], array.shape[0], name, max_pixels)
        return from_array(array)
    if isinstance(source, Image.Image):
        return _decode(source, name, max_pixels)
    if isinstance(source, str | os.PathLike):
        return _read_path(source, name, max_pixels)
    if not isinstance(source, bytes | bytearray | memoryview):
        source = _read_file_object(source, name)
    return _decode_file(io.BytesIO(source), name, max_pixels)


def check_pixels(
    width: int, height: int, name: str, max_pixels: int, *, hint: str | None = None
) -> None:
    """Raise InputError if width × height, in pixels, is 0 or above `max_pixels`.

    Args:
        width: In pixels.
        height: In pixels.
        name: The source, for error messages.
        max_pixels: Largest width × height accepted.
        hint: What to do about a larger one.
    """
    if width < 1 or height < 1:
        raise InputError(
            f"`source` must have at least one pixel. Received {name!r} of {width} × {height}."
        )
    if width * height > max_pixels:
        hint = hint or "Make it smaller; in Python, read_image takes a larger `max_pixels`."
        raise InputError(
            f"`source` must have at most {max_pixels / 1e6:g} megapixels. Received {name!r} of "
            f"{width} × {height} = {width * height / 1e6:.4g}. {hint}"
        )


def _read_path(path: str | os.PathLike[str], name: str, max_pixels: int) -> RGBImage:
    instead = "Give the images in it: find_images(folder) lists them."
    with explain_os_errors(name):
        pipe = is_pipe(path, name, wanted="an image", instead=instead)
        with open(path, "rb") as file:  # noqa: PTH123
            return _decode_file(io.BytesIO(file.read()) if pipe else file, name, max_pixels)


def _read_file_object(file: object, name: str) -> bytes:
    """Content of a file object, from its start if it can seek."""
    if isinstance(file, io.TextIOBase):
        raise InputError(
            "`source` must be a binary file object. Received a text file. Open it with mode 'rb'."
        )
    if not hasattr(file, "read"):
        raise InputError(
            "`source` must be a path, bytes, file object, NumPy array or PIL image. "
            f"Received {type(file).__name__}. Convert it, for example with numpy.asarray(image)."
        )
    stream: Any = file
    try:
        if getattr(stream, "seekable", lambda: False)():
            stream.seek(0)
        content: object = stream.read()
    except (OSError, ValueError) as error:
        raise InputError(
            f"`source` must be a readable file object. Received {name}: {error}. Open it again."
        ) from error
    if not isinstance(content, bytes):
        raise InputError(
            "`source` must be a binary file object. "
            f"Received one that gives {type(content).__name__}. Open it with mode 'rb'."
        )
    return content


def _decode_file(file: IO[bytes], name: str, max_pixels: int) -> RGBImage:
    start = file.read(32)
    if not start:
        raise InputError(
            f"`source` must hold an image. Received {name!r}: zero bytes. "
            "Copy or download the file again."
        )
    file.seek(0)
    try:
        with quiet_pillow():
            image = Image.open(file, formats=_PILLOW_FORMATS)
    except _DAMAGE as error:
        raise InputError(
            f"`source` must be an image ({_READABLE}). Received {name!r}: "
            + _describe_content(start)
        ) from error
    with image:
        return _decode(image, name, max_pixels)


def _describe_content(start: bytes) -> str:
    """Kind of a file that no decoder accepts, by its first bytes, and what to do."""
    if start[4:8] == b"ftyp" and start[8:12] in {b"heic", b"heix", b"mif1", b"msf1", b"avif"}:
        return "a HEIC or AVIF image. Convert it to JPEG or PNG."
    if start[4:8] == b"ftyp" or start[8:12] == b"AVI " or start[:4] == b"\x1a\x45\xdf\xa3":
        return "a video. Use `FERModel.predict_video`."
    known = {
        b"\xff\xd8\xff": "JPEG",
        b"\x89PNG": "PNG",
        b"RIFF": "WebP",
        b"BM": "BMP",
        b"II*\0": "TIFF",
        b"MM\0*": "TIFF",
        b"GIF8": "GIF",
    }
    for magic, kind in known.items():
        if start.startswith(magic):
            return (
                f"a {kind} file that is damaged or of an unusual kind. Copy or download it again, "
                "or save it as an ordinary JPEG or PNG."
            )
    return "not an image. Check that it is the file you meant, or convert it to JPEG or PNG."


def _decode(image: Image.Image, name: str, max_pixels: int) -> RGBImage:
    """Decode the pixels of an image whose header is read."""
    check_pixels(image.width, image.height, name, max_pixels)
    try:
        # Only TIFF reads tags and prints messages while it decodes.
        with quiet_tiff() if image.format == "TIFF" else nullcontext():
            image.load()
        upright = _UPRIGHT.get(_orientation(image))
        rgb = _to_rgb(image, name)
        return np.array(rgb if upright is None else rgb.transpose(upright))
    except InputError:
        raise
    except _DAMAGE as error:
        raise InputError(
            f"`source` must be a whole image. Received {name!r}: damaged or truncated "
            f"({error}). Copy or download the file again."
        ) from error


def _orientation(image: Image.Image) -> int:
    """EXIF orientation 1–8; 1 (upright) where there is none or it cannot be read."""
    try:
        with quiet_pillow():
            value = image.getexif().get(_ORIENTATION_TAG, 1)
    except _DAMAGE:
        return 1
    return value if isinstance(value, int) else 1


def _to_rgb(image: Image.Image, name: str) -> Image.Image:
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith("I"):
        return Image.fromarray(_sixteen_bit(np.asarray(image), name)).convert("RGB")
    if image.mode == "F":
        return Image.fromarray(from_array(np.asarray(image), name))
    if image.mode in {"RGBA", "LA", "PA", "RGBa", "La"} or "transparency" in image.info:
        # Pillow converts La to LA only, and RGBa not to RGB: all convert to RGBA.
        layer = image.convert("LA") if image.mode == "La" else image
        return on_white(layer.convert("RGBA"))
    return image.convert("RGB")


def _sixteen_bit(gray: NDArray[Any], name: str) -> NDArray[np.uint8]:
    """Convert gray of Pillow's integer modes, which hold 16 bits in 16 or 32."""
    if gray.size and (int(gray.min()) < 0 or int(gray.max()) > 65535):
        raise InputError(
            f"`source` must have 8 or 16 bits per channel. Received {name!r} with integers "
            f"{int(gray.min())} to {int(gray.max())}. Scale it to 0–65535 first."
        )
    return sixteen_to_eight(gray)


@contextmanager
def quiet_pillow() -> Generator[None]:
    """Suppress Pillow's warnings and its own size limit: `max_pixels` is the limit here."""
    with _PILLOW_LOCK, warnings.catch_warnings():
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
