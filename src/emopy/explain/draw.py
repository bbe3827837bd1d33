"""`draw_explanations`: explanation maps over the faces, beside the probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from emopy.errors import InputError
from emopy.escaping import one_line
from emopy.explain.explanation import Explanation, Map
from emopy.faces.alignment import warp
from emopy.present.face_labels import BACKGROUND, Color, Rectangle, Style, draw_panel, panel_size
from emopy.types import RGBImage, check_rgb

RAISES: Color = (230, 110, 0)
LOWERS: Color = (0, 114, 200)
"""Colors of pixels that raise and lower a probability: orange and blue, which color-blind people
can distinguish, on a gray face. After Okabe & Ito, https://jfly.uni-koeln.de/color/."""

_SIDE = 240
"""Shorter side of a face, pixels."""

_STYLE = Style(font=15, line=2, gap=10)
_BAR_PX = 14
_ROWS = 8
"""Labels beside a face; of more, the most probable."""

MIN_LIMIT = 0.01
"""Smallest log-odds that get the full color: rounding is not shown as an effect."""

_TEXT: Color = (255, 255, 255)
_OPACITY = 0.85
_GRAY = (70, 150)
"""Darkest gray level of a face, and the range above it: colors show on all of them."""


def draw_explanations(image: RGBImage, explanations: Sequence[Explanation]) -> RGBImage:
    """Draw one row for each explained face of an image.

    A row has the face as the model takes it, the map of each emotion asked for over the gray
    face, with the probability of the emotion, the scale of the colors, and the probabilities of
    all emotions. Orange pixels raise the probability, blue ones lower it. The maps of a row have
    one scale.

    Args:
        image: (H, W, 3) uint8 RGB: the image that was explained.
        explanations: One or more, of faces of this image.

    Returns:
        A new image (H', W', 3) uint8 RGB.

    Raises:
        InputError: Another kind of array, not the image of the explanations, or no explanation.
    """
    check_rgb(image)
    if not explanations:
        raise InputError("`explanations` must hold one or more. Received none.")
    height, width = image.shape[:2]
    for explanation in explanations:
        if explanation.size != (width, height):
            raise InputError(
                "`image` must be the image that was explained, {} × {}. ".format(*explanation.size)
                + f"Received {width} × {height}. Read it with read_image, and do not resize it."
            )
    several = len(explanations) > 1
    rows = [
        _draw_row(image, explanation, number if several else None)
        for number, explanation in enumerate(explanations, start=1)
    ]
    sheet = Image.new(
        "RGB", (max(row.width for row in rows), sum(row.height for row in rows)), BACKGROUND
    )
    top = 0
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height
    return np.array(sheet)


def overlay(face: NDArray[np.uint8], found: Map, limit: float) -> RGBImage:
    """Color a gray face by a map.

    Args:
        face: (H, W, 3) uint8 RGB.
        found: (h, w) map of the face, enlarged smoothly to its size.
        limit: Absolute value of the map with the full color.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    size = face.shape[1], face.shape[0]
    large = cast("Map", cv2.resize(found, size, interpolation=cv2.INTER_CUBIC))
    gray = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY).astype(np.float32)[..., np.newaxis]
    gray = _GRAY[0] + gray * (_GRAY[1] / 255)
    weight = np.clip(np.abs(large) / limit, 0, 1)[..., np.newaxis] * _OPACITY
    color = np.where(
        large[..., np.newaxis] > 0, np.array(RAISES, np.float32), np.array(LOWERS, np.float32)
    )
    return np.rint(gray + weight * (color - gray)).astype(np.uint8)


def face_image(image: RGBImage, explanation: Explanation, factor: float) -> RGBImage:
    """Cut out the face as the model takes it, `factor` times as large as the crop: RGB."""
    spec = explanation.spec
    large = replace(
        spec, height=round(spec.height * factor), width=round(spec.width * factor), margin=0.0
    )
    return warp(image, explanation.transform * factor, large)


def _draw_row(image: RGBImage, explanation: Explanation, number: int | None) -> Image.Image:
    face = face_image(
        image, explanation, _SIDE / min(explanation.spec.height, explanation.spec.width)
    )
    height, width = face.shape[:2]
    gap, line = _STYLE.gap, round(_STYLE.font * 1.6)
    prediction = explanation.prediction
    rows = None if len(prediction.labels) <= _ROWS else _ROWS
    panel = panel_size(prediction, number, _STYLE, rows=rows)
    limit = max(MIN_LIMIT, *(float(np.abs(found).max()) for found in explanation.maps.values()))
    scale = _draw_scale(height, limit)
    cells = [face, *(overlay(face, found, limit) for found in explanation.maps.values())]
    size = (
        len(cells) * (width + gap) + scale.width + panel[0] + 3 * gap,
        max(height + line, panel[1]) + 2 * gap,
    )
    row = Image.new("RGB", size, BACKGROUND)
    probabilities = prediction.to_dict()
    titles = [f"{one_line(name)} {100 * probabilities[name]:.0f} %" for name in explanation.maps]
    pen, left = ImageDraw.Draw(row), gap
    for cell, title in zip(cells, ["face", *titles], strict=True):
        row.paste(Image.fromarray(cell), (left, gap + line))
        pen.text((left, gap), title, _TEXT, _font())
        left += width + gap
    row.paste(scale, (left, gap + line))
    left += scale.width + gap
    place = Rectangle(left, gap, left + panel[0], gap + panel[1])
    draw_panel(row, place, prediction, number, _STYLE, rows=rows)
    return row


def _draw_scale(height: int, limit: float) -> Image.Image:
    """The colors and what they mean, from "raises" at the top to "lowers" at the bottom."""
    texts = (f"raises, {limit:+.2g}", "log-odds 0", f"lowers, {-limit:+.2g}")
    wide = max(round(_font().getbbox(text)[2]) for text in texts)
    scale = Image.new("RGB", (_BAR_PX + _STYLE.gap + wide, height), BACKGROUND)
    steps = np.linspace(1, -1, height, dtype=np.float32)[:, np.newaxis]
    gray = np.full((height, _BAR_PX, 3), 128, np.uint8)
    scale.paste(Image.fromarray(overlay(gray, np.repeat(steps, _BAR_PX, axis=1), 1.0)), (0, 0))
    pen, size = ImageDraw.Draw(scale), _STYLE.font
    for text, y in zip(texts, (0, (height - size) // 2, height - size - 4), strict=True):
        pen.text((_BAR_PX + _STYLE.gap, y), text, _TEXT, _font())
    return scale


def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(_STYLE.font)
