"""Limits on the size of an image and on what its file costs to decode, checked before decoding.

Arrays and decoded PIL images are in memory already: no limit applies to them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
from PIL import Image

from emopy.errors import InputError, with_article

DEFAULT_MAX_PIXELS = 100_000_000
"""100 megapixels: 300 MB as an RGB array, and at most 1.2 GB while it is decoded."""

MAX_SIDE_PX = 65_535
"""Longest side: the limit of JPEG and of AVIF. Pillow needs more memory for more rows."""

MAX_ASPECT = 10_000
"""Largest ratio of the sides."""

MAX_SCANS = 50
"""Most scans of a JPEG. Each is a pass over the full image; encoders write about ten."""

BYTES_PER_PIXEL = 11
"""Memory for decoding, per pixel of `max_pixels`: Pillow's image (4), and the largest buffer of
a usual file beside it: coefficients of a progressive JPEG, or a TIFF strip."""

# Every format may use its most memory while that is less than an image of 100 megapixels takes.
_MOST_BYTES_PER_PIXEL = 17
_ALWAYS_BYTES = BYTES_PER_PIXEL * DEFAULT_MAX_PIXELS

_BLOCK_BYTES = 1 << 20
_PILLOW_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16L": 2, "I;16B": 2}
_DECODER_BYTES = {"WEBP": 13, "AVIF": 8}
"""Bytes per pixel that a decoder allocates beside Pillow's image; measured."""


def check_max_pixels(max_pixels: int) -> None:
    """Raise InputError unless a limit is a whole number of pixels, 1 or more."""
    if isinstance(max_pixels, bool) or not isinstance(max_pixels, int) or max_pixels < 1:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InputError(
            f"`max_pixels` must be a whole number of pixels, 1 or more. Received {max_pixels!r}. "
            f"Type for example: {DEFAULT_MAX_PIXELS}"
        )


def check_pixels(width: int, height: int, name: str, max_pixels: int, *, hint: str) -> None:
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
        raise InputError(
            f"`source` must have at most {max_pixels / 1e6:g} megapixels. Received {name!r} of "
            f"{width} × {height} = {width * height / 1e6:.4g}. {hint}"
        )


def check_cost(image: Image.Image, name: str, max_pixels: int) -> None:
    """Raise InputError if an image, of which only the header is read, costs too much to decode.

    Args:
        image: Opened and not yet loaded.
        name: The source, for error messages.
        max_pixels: Largest width × height accepted; it sets the memory too.
    """
    size = _decoding_bytes(image)
    enough = max(image.width * image.height, math.ceil(size / BYTES_PER_PIXEL))
    hint = f"Make it smaller, or raise the limit: `max_pixels={enough}`"
    check_pixels(image.width, image.height, name, max_pixels, hint=hint)
    longer, shorter = max(image.size), min(image.size)
    if longer > MAX_SIDE_PX or longer > MAX_ASPECT * shorter:
        raise InputError(
            f"`source` must have sides of at most {MAX_SIDE_PX} pixels, and one at most "
            f"{MAX_ASPECT} times the other. Received {name!r} of {image.width} × {image.height}. "
            "Cut it into parts."
        )
    file: Any = getattr(image, "fp", None)
    if image.format in {"JPEG", "MPO"} and file and (count := _count_scans(file)):
        raise InputError(
            f"`source` must be a JPEG of at most {MAX_SCANS} scans. Received {name!r} of {count}. "
            "Save it again as an ordinary JPEG."
        )
    limit = max(
        BYTES_PER_PIXEL * max_pixels, min(_MOST_BYTES_PER_PIXEL * max_pixels, _ALWAYS_BYTES)
    )
    if size > limit:
        raise InputError(
            f"`source` must take at most {limit / 1e9:.3g} GB of memory to decode. Received "
            f"{name!r}, {with_article(str(image.format))} that takes {size / 1e9:.3g} GB. {hint}"
        )


def _decoding_bytes(image: Image.Image) -> int:
    """Estimate of the memory that decoding takes at its peak."""
    pixels = image.width * image.height
    if image.format == "TIFF":
        buffer = _tiff_buffer_bytes(image)
    elif image.info.get("progressive"):
        buffer = 2 * pixels * len(image.getbands())  # coefficients
    else:
        buffer = pixels * _DECODER_BYTES.get(image.format or "", 0)
    return pixels * _PILLOW_BYTES.get(image.mode, 4) + buffer


def _tiff_buffer_bytes(image: Any) -> int:
    """Size of a decoded strip or tile, which libtiff holds whole; Pillow reads raw ones itself."""
    if all(tile[0] == "raw" for tile in image.tile):
        return 0
    tags = image.tag_v2
    width, height = tags.get(322), tags.get(323)  # TIFF 6.0: TileWidth, TileLength
    if width is None or height is None:
        width, height = image.width, min(tags.get(278, image.height), image.height)
    bits = max(_numbers(tags.get(258, 1)))  # BitsPerSample
    planar = tags.get(284, 1) == 2  # PlanarConfiguration
    samples = 1 if planar else tags.get(277, 1)  # SamplesPerPixel
    return math.ceil(int(width) * int(height) * int(samples) * bits / 8)


def _numbers(value: Any) -> list[int]:
    return [int(number) for number in np.atleast_1d(value)]


def _count_scans(file: IO[bytes]) -> int:
    """Number of scans of a JPEG if it is above `MAX_SCANS`, else 0; the position is kept."""
    place = file.tell()
    try:
        file.seek(0)
        # A quick count, which other segments and what follows the image can only increase.
        last, seen = b"", 0
        while block := file.read(_BLOCK_BYTES):
            seen += (last + block).count(b"\xff\xda")
            last = block[-1:]
        if seen <= MAX_SCANS:
            return 0
        file.seek(0)
        scans = sum(marker == 0xDA for marker in _jpeg_markers(file.read()))
    finally:
        file.seek(place)
    return scans if scans > MAX_SCANS else 0


_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
# Source: ITU-T T.81, B.1.1: markers without a length: TEM, RST, SOI.
_BARE = {0x01, 0xD8}


def _jpeg_markers(data: bytes) -> Iterator[int]:
    """Yield the markers of the first image in a JPEG file, up to its end."""
    place = 0
    while match := _MARKER.search(data, place):
        marker, place = match[1][0], match.end()
        if marker == 0xD9:
            return
        yield marker
        if marker not in _BARE:
            place += int.from_bytes(data[place : place + 2], "big")
