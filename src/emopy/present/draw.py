"""`draw_faces`, `draw`: boxes, predicted emotions and bars on an image; `save_image`."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from emopy.errors import InputError, with_article
from emopy.files import atomic_file, check_suffix
from emopy.media import ImageSource, read_image
from emopy.present.face_labels import (
    BACKGROUND,
    COMPACT_ROWS,
    Color,
    Rectangle,
    Style,
    color_of,
    draw_chip,
    draw_panel,
    panel_size,
)
from emopy.present.label_layout import Label, LabelState, number_of, place_labels
from emopy.types import FacePrediction, FailedInput, ImageResult, RGBImage, check_rgb

_MIN_SIDE = 480
"""Pixels. An image with a shorter side is enlarged, so that text is readable."""

_MAX_ENLARGED = 4_000_000
"""Pixels that an enlarged image may have."""

_MAX_ENLARGED_SIDE = 8000
"""Pixels that a side of an enlarged image may have: every video encoder takes them."""

_SAVERS = {
    ".png": ("PNG", {"compress_level": 4}),
    ".jpg": ("JPEG", {"quality": 92, "subsampling": 0}),
    ".jpeg": ("JPEG", {"quality": 92, "subsampling": 0}),
}
_EXPANDED_FONT = 1.4
"""Factor of the font size beside an image, where there is more room."""

_OUTLINE_RIM: Color = (16, 16, 20)


def draw(image: ImageSource | ImageResult, result: ImageResult | None = None) -> Image.Image:
    """Return the image of a result with the predictions drawn in, as a PIL image.

    Args:
        image: The image of the result: path, bytes, array or PIL image, see `read_image`. A result
            alone is drawn on the file that it comes from, as `ImageResult.show` does.
        result: What `FERModel.predict` returned for it.

    Raises:
        InputError: The image cannot be read, or is not the image of this result.
    """
    if isinstance(image, ImageResult):
        if result is not None:
            raise InputError(
                "`image` must be an image, and `result` its result. Received "
                f"{with_article(type(image).__name__)} as the image. "
                "Swap them: draw(image, result)"
            )
        file = image_file(
            image.source, is_frame=image.frame is not None, instead="draw(image, result)"
        )
        return draw(file, image)
    result = _checked(result)
    return Image.fromarray(draw_faces(read_image(image), result, expand=True))


def _checked(result: object) -> ImageResult:
    """Return what is drawn, or raise InputError where it is no result of an image."""
    if isinstance(result, ImageResult):
        return result
    received = "none" if result is None else with_article(type(result).__name__)
    reason = ". Type: draw(image, result)"
    if isinstance(result, FailedInput):
        reason = f": {result.error}"
    raise InputError(f"`result` must be a result with an image. Received {received}{reason}")


_SOURCES = {
    "<array>": "an array",
    "<bytes>": "bytes",
    "<file>": "a file object",
    "<PIL image>": "a PIL image",
}
"""Sources that are no files, see `describe_source`, in words."""


def image_file(source: str, *, instead: str, is_frame: bool = False) -> str:
    """Return the file that a result comes from, from which its image can be read again.

    Args:
        source: Source of the result.
        instead: What to type where it is no file.
        is_frame: Whether it is the source of a video frame.

    Raises:
        InputError: It is a frame of a video, or comes from something else than a file.
    """
    if not is_frame and os.path.isfile(source):  # noqa: PTH113  a name of any kind
        return source
    shown = "a video frame" if is_frame else _SOURCES.get(source)
    if shown:
        raise InputError(f"`image` must be given for a result of {shown}. Type: {instead}")
    raise InputError(
        "`image` must be given where the file of the result is gone. "
        f"Received {source!r}: no such file. Type: {instead}"
    )


def draw_faces(
    image: RGBImage,
    result: ImageResult,
    *,
    state: LabelState | None = None,
    expand: bool = False,
) -> RGBImage:
    """Return a copy of an image with a box, the predicted emotion and bars for each face.

    Color-blind people can distinguish the colors. Text has a translucent dark background,
    so that it is readable on any image. Line width and font size follow the size of the image.
    Bars go beside their face, over no other face. A face without room for them gets a name with a
    striped line of its probabilities; a single face gets its three most probable emotions in the
    corner that covers least of its features. Faces of a video have their track ids.

    Args:
        image: (H, W, 3) uint8 RGB: the image of the result.
        result: Faces and predictions.
        state: For a video, one object for all its frames: it keeps labels in their places.
        expand: Whether the image is made wider on the right where there is no room for the bars
            of a single face.

    Returns:
        A new image (H', W', 3) uint8 RGB. H' × W' is H × W, or a whole multiple of it for an
        image with a side under 480 pixels, up to 8000 pixels a side; `expand` may make it wider.

    Raises:
        InputError: Another kind of array, or not the image of this result.
    """
    check_rgb(image)
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
    boxes = [_to_pixels(face, factor, canvas.size) for face in result.faces]
    style, labels = place_labels(result, boxes, canvas.size, state)
    panel_style = style
    if expand and len(boxes) == 1 and (not labels or labels[0].kind != "panel"):
        panel_style = style._replace(font=round(style.font * _EXPANDED_FONT))
        canvas, labels = _expanded(canvas, result, boxes[0], panel_style)
    # Small faces last, so that a large box never hides the outline of a small one.
    for face, box in sorted(zip(result.faces, boxes, strict=True), key=lambda pair: -pair[1].area):
        _draw_outline(canvas, box, color_of(face.emotion, face.prediction.labels), style)
    for index, (kind, place) in labels.items():
        prediction, number = result.faces[index].prediction, number_of(result, index)
        if kind == "chip":
            draw_chip(canvas, place, prediction, number, style)
        else:
            rows = None if kind == "panel" else COMPACT_ROWS
            draw_panel(canvas, place, prediction, number, panel_style, rows=rows)
    return np.array(canvas)


def save_image(image: RGBImage, path: str | os.PathLike[str]) -> Path:
    """Write an image to a file, completely or not at all; return the path.

    Args:
        image: (H, W, 3) uint8 RGB.
        path: Ends in ``.png``, ``.jpg`` or ``.jpeg``. Missing folders are created.

    Raises:
        InputError: Another kind of array, another suffix, or a path that cannot be written.
    """
    check_rgb(image)
    path, suffix = Path(path), check_suffix(path, _SAVERS)
    format_name, settings = _SAVERS[suffix]
    with atomic_file(path) as partial:
        try:
            Image.fromarray(image).save(partial, format_name, **settings)
        except OSError as error:
            raise InputError(
                f"`path` must be a file that can hold the image. Received {str(path)!r}: "
                f"{error}. Choose another folder, or .png for a very large image."
            ) from error
    return path


def enlargement(width: int, height: int) -> int:
    """Return the whole factor by which `draw_faces` enlarges an image of this size."""
    wanted = math.ceil(_MIN_SIDE / min(width, height))
    possible = int(math.sqrt(_MAX_ENLARGED / (width * height)))
    return max(1, min(wanted, possible, _MAX_ENLARGED_SIDE // max(width, height)))


def _to_pixels(face: FacePrediction, factor: int, size: tuple[int, int]) -> Rectangle:
    """The part of a face's box that is inside the canvas, at least one pixel."""
    box, (width, height) = face.box, size
    left = min(max(round(box.left * factor), 0), width - 1)
    top = min(max(round(box.top * factor), 0), height - 1)
    right = max(min(round(box.right * factor), width), left + 1)
    bottom = max(min(round(box.bottom * factor), height), top + 1)
    return Rectangle(left, top, right, bottom)


def _expanded(
    canvas: Image.Image, result: ImageResult, box: Rectangle, style: Style
) -> tuple[Image.Image, dict[int, Label]]:
    """The canvas with room for a panel on its right, and the panel there."""
    width, height = panel_size(result.faces[0].prediction, number_of(result, 0), style)
    left, top = canvas.width + style.gap, max(min(box.top, canvas.height - height), 0)
    size = (left + width + style.gap, max(canvas.height, height))
    expanded = Image.new("RGB", size, BACKGROUND)
    expanded.paste(canvas)
    return expanded, {0: Label("panel", Rectangle(left, top, left + width, top + height))}


def _draw_outline(canvas: Image.Image, box: Rectangle, color: Color, style: Style) -> None:
    """Draw a colored line between two dark ones, visible on any background."""
    draw = ImageDraw.Draw(canvas)
    line = min(style.line, max(1, min(box.width, box.height) // 6))
    left, top, right, bottom = box.left, box.top, box.right - 1, box.bottom - 1
    # A small box gets the colored line only.
    rim = 0 if line < style.line else max(1, style.line // 3)
    if rim:
        draw.rectangle((left, top, right, bottom), outline=_OUTLINE_RIM, width=line + 2 * rim)
    draw.rectangle((left + rim, top + rim, right - rim, bottom - rim), outline=color, width=line)
