"""`draw_faces`: boxes, names and probability bars on an image; `save_image`: into a file."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from emopy.errors import InputError
from emopy.files import atomic_file
from emopy.present.label_state import CORNER_ROWS, Label, LabelState, number_of, place_labels
from emopy.present.layout import Rectangle, Style
from emopy.present.panels import chip, color_of, panel
from emopy.types import FacePrediction, ImageResult, RGBImage

_SMALLEST_SIDE = 480
"""Pixels. An image with a shorter side is enlarged, so that letters find room."""

_LARGEST_ENLARGED = 4_000_000
"""Pixels that an enlarged image may have."""

_SAVERS = {
    ".jpg": ("JPEG", {"quality": 92, "subsampling": 0}),
    ".jpeg": ("JPEG", {"quality": 92, "subsampling": 0}),
    ".png": ("PNG", {"compress_level": 4}),
}
_SHADE = (16, 16, 20)


def draw_faces(
    image: RGBImage, result: ImageResult, *, steady: LabelState | None = None
) -> RGBImage:
    """Draw what was found: per face a box, the emotion, and bars of all probabilities.

    Colours tell emotions apart for colour-blind people too. Text stands on dark glass, readable
    on light and dark images. Line width and letters follow the size of the image. A face
    for whose bars there is no free place shows its shares as one striped line under its name;
    a lone face shows its three most probable emotions in a corner. Faces of a video bear the
    numbers of their tracks.

    Args:
        image: (H, W, 3) uint8 RGB: the image that was read.
        result: What was found in it.
        steady: For a video, the same object for all its frames: labels then stay where they are.

    Returns:
        A new image (H', W', 3) uint8 RGB. H' × W' is H × W, or a whole multiple of it for a
        image with a side under 480 pixels.

    Raises:
        InputError: Not such an array, or not the image of this result.
    """
    _check(image)
    height, width = image.shape[:2]
    if tuple(result.size) != (width, height):
        raise InputError(
            f"`image` must be the image of `result`, {result.size[0]} × {result.size[1]}. "
            f"Received {width} × {height}. Read it with read_image, and do not resize it."
        )
    factor = enlargement(width, height)
    canvas = Image.fromarray(image)
    if factor > 1:
        canvas = canvas.resize((width * factor, height * factor), Image.Resampling.BICUBIC)
    boxes = [_pixels(face, factor, canvas.size) for face in result.faces]
    style, labels = place_labels(result, boxes, canvas.size, steady)
    # Small faces last: a large box never hides a small one's outline.
    for face, box in sorted(zip(result.faces, boxes, strict=True), key=lambda pair: -pair[1].area):
        _outline(canvas, box, color_of(face.emotion, face.prediction.labels), style)
    _label(canvas, result, labels, style)
    return np.array(canvas)


def save_image(image: RGBImage, path: str | os.PathLike[str]) -> Path:
    """Write an image; the file is there whole or not at all.

    Args:
        image: (H, W, 3) uint8 RGB.
        path: Ends in ``.png``, ``.jpg`` or ``.jpeg``. Folders that lack are made.

    Returns:
        The path.

    Raises:
        InputError: Not such an array, another ending, or a place that cannot be written.
    """
    _check(image)
    path = Path(path)
    if path.suffix.lower() not in _SAVERS:
        raise InputError(
            f"`path` must end in .png or .jpg. Received {str(path)!r}. "
            f"Type for example: {path.stem or 'faces'}.png"
        )
    kind, settings = _SAVERS[path.suffix.lower()]
    with atomic_file(path) as partial:
        try:
            Image.fromarray(image).save(partial, kind, **settings)
        except OSError as error:
            raise InputError(
                f"`path` must be a file that can hold the image. Received {str(path)!r}: "
                f"{error}. Choose another folder, or .png for a very large image."
            ) from error
    return path


def _check(image: RGBImage) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
        raise InputError(
            "`image` must be an RGB image, uint8 of shape (H, W, 3). "
            f"Received {image.dtype} of shape {image.shape}. Use read_image to make one."
        )


def enlargement(width: int, height: int) -> int:
    """The whole factor by which `draw_faces` enlarges an image: letters need room."""
    wanted = math.ceil(_SMALLEST_SIDE / min(width, height))
    possible = int(math.sqrt(_LARGEST_ENLARGED / (width * height)))
    return max(1, min(wanted, possible))


def _pixels(face: FacePrediction, factor: int, size: tuple[int, int]) -> Rectangle:
    """The part of a face's box that lies in the canvas, at least one pixel."""
    box, (width, height) = face.box, size
    left = min(max(round(box.left * factor), 0), width - 1)
    top = min(max(round(box.top * factor), 0), height - 1)
    right = max(min(round(box.right * factor), width), left + 1)
    bottom = max(min(round(box.bottom * factor), height), top + 1)
    return Rectangle(left, top, right, bottom)


def _outline(
    canvas: Image.Image, box: Rectangle, color: tuple[int, int, int], style: Style
) -> None:
    """A coloured line between two dark ones: visible on any ground."""
    draw = ImageDraw.Draw(canvas)
    thin = max(1, style.line // 3)
    # Too small a box keeps its coloured line only.
    line = min(style.line, max(1, min(box.width, box.height) // 6))
    rim = thin if line == style.line else 0
    corners = (box.left, box.top, box.right - 1, box.bottom - 1)
    if rim:
        draw.rectangle(corners, outline=_SHADE, width=line + 2 * rim)
    inset = (corners[0] + rim, corners[1] + rim, corners[2] - rim, corners[3] - rim)
    draw.rectangle(inset, outline=color, width=line)


def _label(
    canvas: Image.Image, result: ImageResult, labels: Mapping[int, Label], style: Style
) -> None:
    for index, (kind, place) in labels.items():
        prediction, number = result.faces[index].prediction, number_of(result, index)
        if kind == "chip":
            chip(canvas, place, prediction, number, style)
        else:
            rows = CORNER_ROWS if kind == "corner" else None
            panel(canvas, place, prediction, number, style, rows=rows)
