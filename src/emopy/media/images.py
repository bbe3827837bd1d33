"""`read_image`: decode any image to RGB uint8, or raise an `InputError` that says what to do.

Pillow decodes the files, without warnings and without output on standard error. Only the formats
of `IMAGE_FORMATS` are tried, so that no file can start another program.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from functools import partial
from importlib import import_module
from itertools import islice
from typing import IO, Any, Protocol, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from emopy.errors import InputError, alternatives, with_article
from emopy.media.arrays import ColorOrder, check_color, from_array, from_pil
from emopy.media.limits import DEFAULT_MAX_PIXELS, check_cost
from emopy.media.paths import IMAGE_FORMATS, explain_os_errors, is_pipe
from emopy.media.pillow import PILLOW_LOCK, explain_damage, quiet_pillow, quiet_tiff, reason
from emopy.types import RGBImage

ImageSource: TypeAlias = (
    str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes] | NDArray[Any] | Image.Image
)
"""What `read_image` accepts: a path, encoded bytes, a file object, an array, a PIL image."""

Admission: TypeAlias = Callable[[int], None]
"""Function that gets the number of pixels of an image and returns when they may be decoded."""


class ImageReader(Protocol):
    """Function that reads the rest of an image that `take_image` has begun to read."""

    def __call__(self, *, admit: Admission = ...) -> RGBImage:
        """Return the image; `admit` is called before its pixels are decoded."""
        ...


_PILLOW_FORMATS = (*(name.upper() for name in IMAGE_FORMATS if name not in {"AVIF", "HEIC"}), "DIB")
_READABLE = alternatives(IMAGE_FORMATS)

# Source: ISO/IEC 23008-12 and AV1 Image File Format: brands of files with images.
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_START_BYTES = 64


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
    if not _is_file_object(source):
        return f"<{type(source).__name__}>"
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "<file>"


def read_image(
    source: ImageSource, *, max_pixels: int = DEFAULT_MAX_PIXELS, color: ColorOrder = "rgb"
) -> RGBImage:
    """Read an image as upright RGB.

    Gray becomes three equal channels, 16 bits are scaled to 8, transparency is composited on white,
    the EXIF orientation is applied, and an animation gives its first frame. The source is not
    changed; the result is always a new array.

    Args:
        source: Path; encoded bytes; binary file object (read from its start); array (H, W),
            (H, W, 1), (H, W, 3) RGB or (H, W, 4) RGBA as uint8 0–255, uint16 0–65535 or float
            0–1; or a PIL image. Integers of 16 or 32 bits are 0–65535 also where all of them are
            below 256; an `ImageWarning` says so then.
        max_pixels: Largest width × height of a file accepted, checked before decoding. It also
            bounds the memory that decoding may take: 17 bytes for each of these pixels, at most
            1.1 GB; above 100 megapixels, 11 bytes for each. Arrays and loaded PIL images have no
            limit.
        color: Order of the channels of an array: ``"rgb"``, or ``"bgr"`` as in OpenCV, with alpha
            last. Other sources have an order of their own.

    Returns:
        (H, W, 3) uint8 RGB, C-contiguous, writable.

    Raises:
        InputError: No such file, a folder, empty, truncated, not an image, too large, too costly
            to decode, an array of another shape, dtype or range, or an unknown order of channels.

    Example:
        >>> read_image(np.zeros((48, 48), np.uint8)).shape
        (48, 48, 3)
    """
    return take_image(source, max_pixels=max_pixels, color=color)()


def take_image(
    source: ImageSource, *, max_pixels: int = DEFAULT_MAX_PIXELS, color: ColorOrder = "rgb"
) -> ImageReader:
    """Start to read an image: take what the owner may change or close afterwards.

    That is the content of a file object, an array or a PIL image; files are not opened yet.

    Returns:
        A function that reads the rest, in any thread, and returns what `read_image` does. Its
        argument `admit` may wait there, for example until other images are done.

    Raises:
        InputError: As `read_image`; the function raises it too.
    """
    check_color(color)
    name = describe_source(source)
    if isinstance(source, np.ndarray):
        image = from_array(source, name, color)
        # A view would change with the array that it was made from.
        taken = np.array(image) if image.base is not None or image is source else image
        return partial(_give, taken)
    if isinstance(source, Image.Image):
        converted = _decode_given(source, name, max_pixels)
        return partial(_give, converted)
    if isinstance(source, str | os.PathLike):
        return partial(_read_path, source, name, max_pixels)
    if not isinstance(source, bytes | bytearray | memoryview):
        source = _read_file_object(source, name)
    return partial(_decode_file, io.BytesIO(source), name, max_pixels)


def _admit_at_once(pixels: int) -> None:
    del pixels


def _give(image: RGBImage, *, admit: Admission = _admit_at_once) -> RGBImage:
    admit(image.shape[0] * image.shape[1])
    return image


def _read_path(
    path: str | os.PathLike[str], name: str, max_pixels: int, *, admit: Admission = _admit_at_once
) -> RGBImage:
    instead = f"Type predict_many({name!r}), or list its images with find_images."
    with explain_os_errors(name):
        pipe = is_pipe(path, name, wanted="an image", instead=instead)
        with open(path, "rb") as file:  # noqa: PTH123
            content = io.BytesIO(file.read()) if pipe else file
            return _decode_file(content, name, max_pixels, admit=admit)


def _is_file_object(source: object) -> bool:
    try:
        return hasattr(source, "read")
    except Exception:  # noqa: BLE001  a property of the caller's object
        return False


def _read_file_object(file: object, name: str) -> bytes:
    """Content of a file object, from its start if it can seek."""
    if isinstance(file, io.TextIOBase):
        raise InputError(
            "`source` must be a binary file object. Received a text file. Open it with mode 'rb'."
        )
    if not _is_file_object(file):
        raise InputError(
            "`source` must be a path, bytes, file object, NumPy array or PIL image. "
            + _describe_kind(file)
        )
    stream: Any = file
    try:
        if getattr(stream, "seekable", lambda: False)():
            stream.seek(0)
        content: object = stream.read()
    except Exception as error:  # the caller's object may raise anything
        raise InputError(
            f"`source` must be a readable file object. Received {name}: {reason(error)}. "
            "Open it again."
        ) from error
    if not isinstance(content, bytes | bytearray | memoryview):
        raise InputError(
            "`source` must be a binary file object. "
            f"Received one that gives {type(content).__name__}. Open it with mode 'rb'."
        )
    return bytes(cast("bytes", content))


def _describe_kind(source: object) -> str:
    """What a source is that is no image, and what to do."""
    if source is None:
        return (
            "Received None, which cv2.imread returns for a file that it cannot read. "
            "Give the path instead."
        )
    kind = with_article(type(source).__name__)
    if isinstance(source, Iterable):
        items = cast("Iterable[object]", source)
        first = next(islice(items, 1), None) if isinstance(source, list | tuple) else None
        if isinstance(first, int | float | list) and not isinstance(first, bool):
            return f"Received {kind} of numbers. Convert it: numpy.array(image, numpy.uint8)"
        return f"Received {kind}. Use FERModel.predict_many for several images."
    return f"Received {type(source).__name__}. Convert it, for example with numpy.asarray(image)."


def _decode_file(
    file: IO[bytes], name: str, max_pixels: int, *, admit: Admission = _admit_at_once
) -> RGBImage:
    start = file.read(_START_BYTES)
    if not start:
        raise InputError(
            f"`source` must hold an image. Received {name!r}: zero bytes. "
            "Copy or download the file again."
        )
    file.seek(0)
    try:
        with quiet_pillow():
            image = Image.open(file, formats=_formats(start))
    except Exception as error:  # Pillow raises anything on damaged files
        raise InputError(
            f"`source` must be an image ({_READABLE}). Received {name!r}: "
            + _describe_content(start)
        ) from error
    with image:
        with explain_damage(name, kind="image"):
            check_cost(image, name, max_pixels)
        admit(image.width * image.height)
        return _decode(image, name)


def _formats(start: bytes) -> tuple[str, ...]:
    """Pillow's names of the formats that a file may have, by its first bytes."""
    brands = _brands(start)
    if brands & _AVIF_BRANDS:
        return ("AVIF",)
    if brands & _HEIF_BRANDS:
        import_module("pillow_heif").register_heif_opener()
        return ("HEIF",)
    return _PILLOW_FORMATS


def _brands(start: bytes) -> set[bytes]:
    """Brands in the first box of an ISO media file; none for other files."""
    if start[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(start[:4], "big"), len(start))
    return {start[8:12], *(start[place : place + 4] for place in range(16, end - 3, 4))}


def _describe_content(start: bytes) -> str:
    """Kind of a file that no decoder accepts, by its first bytes, and what to do."""
    brands = _brands(start)
    if brands & _AVIF_BRANDS:
        return (
            "an AVIF image that is damaged, or that this version of Pillow cannot read. "
            "Convert it to JPEG or PNG, or type: pip install --upgrade pillow"
        )
    if brands & _HEIF_BRANDS:
        try:
            import_module("pillow_heif")
        except ImportError:
            return (
                "a HEIC image, which needs the package pillow-heif. "
                "Type: pip install pillow-heif, or convert it to JPEG or PNG."
            )
        return "a HEIC image that is damaged. Copy it again, or convert it to JPEG or PNG."
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


def _decode(image: Image.Image, name: str) -> RGBImage:
    """Decode the pixels of an image whose header is read and checked."""
    with explain_damage(name, kind="image"):
        # Only TIFF reads tags and prints messages while it decodes.
        with quiet_tiff() if image.format == "TIFF" else nullcontext():
            image.load()
        return from_pil(image, name)


def _decode_given(image: Image.Image, name: str, max_pixels: int) -> RGBImage:
    """Decode a PIL image of the caller, which other threads may load too."""
    closed = _is_closed(image)
    try:
        with PILLOW_LOCK:
            if not _is_loaded(image):
                with explain_damage(name, kind="image"):
                    check_cost(image, name, max_pixels)
            return _decode(image, name)
    except InputError as error:
        if error.__cause__ is None or not closed:
            raise
        raise InputError(
            f"`source` must be an open image. Received {name!r}, whose file was closed before "
            "its pixels were loaded. Give the path instead, or call image.load() before."
        ) from error


def _is_loaded(image: Image.Image) -> bool:
    """Whether the pixels are in memory; some formats have no `tile` before, others no pixels."""
    if not isinstance(image, ImageFile.ImageFile):
        return True
    state = vars(image)  # `im` is a property of `_im` in newer versions of Pillow
    return not image.tile and state.get("_im", state.get("im")) is not None


def _is_closed(image: Image.Image) -> bool:
    file: Any = getattr(image, "fp", None)
    return file is None or getattr(file, "closed", False)
