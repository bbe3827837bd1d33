"""Labels of faces on an image: a panel with bars, and a chip with a striped line."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from emopy.labels import canonical
from emopy.present.text import NOT_SURE
from emopy.types import Prediction

Color = tuple[int, int, int]

COLORS: dict[str, Color] = {
    "anger": (213, 94, 0),  # vermilion
    "contempt": (230, 159, 0),  # orange
    "disgust": (0, 158, 115),  # bluish green
    "fear": (204, 121, 167),  # reddish purple
    "happiness": (240, 228, 66),  # yellow
    "neutral": (187, 187, 187),  # gray instead of the palette's black: the background is black
    "sadness": (0, 114, 178),  # blue
    "surprise": (86, 180, 233),  # sky blue
}
"""RGB color of each emotion.

Source: Okabe & Ito, "Color Universal Design", https://jfly.uni-koeln.de/color/
"""

BACKGROUND: Color = (18, 18, 22)
COMPACT_ROWS = 3
"""Labels that a compact panel shows."""

_TEXT: Color = (255, 255, 255)
_DIM_TEXT: Color = (205, 205, 210)
_EMPTY_BAR: Color = (78, 78, 84)
_OPACITY = 0.80
_SUPERSAMPLING = 4
"""Factor by which round corners are drawn larger and then reduced, so that they are smooth."""


class Rectangle(NamedTuple):
    """Whole pixels; right and bottom are excluded."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self.bottom - self.top

    @property
    def area(self) -> int:
        """Area in pixels."""
        return self.width * self.height

    def overlap(self, other: Rectangle) -> int:
        """Area of the intersection in pixels."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(width, 0) * max(height, 0)


class Style(NamedTuple):
    """Sizes in pixels that fit an image and its faces.

    Attributes:
        font: Font size.
        line: Line width of a box.
        gap: Space around text.
    """

    font: int
    line: int
    gap: int


def color_of(label: str | None, labels: Sequence[str]) -> Color:
    """Return the color of a label's emotion; other labels use the palette in their order."""
    if label is None:
        return _TEXT
    if color := COLORS.get(canonical(label)):
        return color
    palette = list(COLORS.values())
    return palette[labels.index(label) % len(palette)]


def panel_size(
    prediction: Prediction, number: int | None, style: Style, *, rows: int | None = None
) -> tuple[int, int]:
    """Return (width, height) in pixels of a panel; `rows` as in `draw_panel`."""
    names = max(_text_width(label, style) for label in prediction.labels)
    title = _text_width(_title(prediction, number), style)
    bar = names + _bar_length(style) + _text_width("100 %", style) + 2 * style.gap
    lines = 1 + (len(prediction.labels) if rows is None else min(rows, len(prediction.labels)))
    return max(bar, title) + 2 * style.gap, lines * _row_height(style) + 3 * style.gap


def draw_panel(
    canvas: Image.Image,
    place: Rectangle,
    prediction: Prediction,
    number: int | None,
    style: Style,
    *,
    rows: int | None = None,
) -> None:
    """Draw the predicted emotion, and below it a bar per label, into a place of `panel_size`.

    With `rows`, only that many labels are drawn, the most probable first.
    """
    _draw_background(canvas, place, style)
    draw = ImageDraw.Draw(canvas)
    row = _row_height(style)
    left, right, y = place.left + style.gap, place.right - style.gap, place.top + style.gap
    _draw_text(draw, (left, y + row // 2), _title(prediction, number), style, _TEXT)
    y += row + style.gap
    names = max(_text_width(label, style) for label in prediction.labels)
    start, end = left + names + style.gap, right - _text_width("100 %", style) - style.gap
    thickness = max(3, round(style.font * 0.5))
    all_rows = tuple(prediction.to_dict().items())
    for label, probability in all_rows if rows is None else prediction.top(rows):
        ink = _TEXT if label == prediction.emotion else _DIM_TEXT
        middle = y + row // 2
        _draw_text(draw, (left, middle), label, style, ink)
        top = middle - thickness // 2
        draw.rectangle((start, top, end - 1, top + thickness - 1), fill=_EMPTY_BAR)
        if filled := round((end - start) * _clip(probability)):
            color = color_of(label, prediction.labels)
            draw.rectangle((start, top, start + filled - 1, top + thickness - 1), fill=color)
        text = _percent(probability)
        _draw_text(draw, (right - _text_width(text, style), middle), text, style, ink)
        y += row


def chip_size(prediction: Prediction, number: int | None, style: Style) -> tuple[int, int]:
    """Return (width, height) in pixels of a chip."""
    width = _text_width(_title(prediction, number), style) + 2 * style.gap
    return width, _row_height(style) + _stripe_height(style) + style.gap


def draw_chip(
    canvas: Image.Image, place: Rectangle, prediction: Prediction, number: int | None, style: Style
) -> None:
    """Draw the predicted emotion, and below it one stacked bar of all labels."""
    _draw_background(canvas, place, style)
    draw = ImageDraw.Draw(canvas)
    left, right = place.left + style.gap, place.right - style.gap
    middle = place.top + style.gap // 4 + _row_height(style) // 2
    _draw_text(draw, (left, middle), _title(prediction, number), style, _TEXT)
    bottom = place.bottom - style.gap // 2 - 1
    top = bottom - _stripe_height(style) + 1
    draw.rectangle((left, top, right - 1, bottom), fill=_EMPTY_BAR)
    total = 0.0
    for label, probability in prediction.top(len(prediction.labels)):
        before, total = total, min(total + _clip(probability), 1.0)
        start, end = (left + round((right - left) * edge) for edge in (before, total))
        if end > start:
            color = color_of(label, prediction.labels)
            draw.rectangle((start, top, end - 1, bottom), fill=color)


def _title(prediction: Prediction, number: int | None) -> str:
    title = f"{prediction.emotion or NOT_SURE} {_percent(prediction.confidence)}"
    return title if number is None else f"{number}  {title}"


def _percent(probability: float) -> str:
    return f"{_clip(probability) * 100:.0f} %"


def _clip(probability: float) -> float:
    """A probability within 0–1; 0 for NaN."""
    return min(max(probability, 0.0), 1.0) if probability == probability else 0.0


def _row_height(style: Style) -> int:
    return round(style.font * 1.35)


def _bar_length(style: Style) -> int:
    return round(style.font * 5)


def _stripe_height(style: Style) -> int:
    return max(2, round(style.font * 0.25))


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


@lru_cache(maxsize=4096)
def _text_width(text: str, style: Style) -> int:
    return round(_font(style.font).getbbox(text)[2])


def _draw_text(
    draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, style: Style, ink: Color
) -> None:
    """Draw text that starts at x and has the middle of its small letters at y."""
    font = _font(style.font)
    if isinstance(font, ImageFont.FreeTypeFont):
        # Capitals and ascenders reach about 0.7 of the font size above the baseline.
        draw.text((at[0], at[1] + round(style.font * 0.33)), text, ink, font, anchor="ls")
    else:
        draw.text((at[0], at[1] - style.font // 2), text, ink, font)


def _draw_background(canvas: Image.Image, place: Rectangle, style: Style) -> None:
    """Draw a translucent dark rectangle with round corners."""
    canvas.paste(BACKGROUND, place, _background_mask(place.width, place.height, style.gap))


@lru_cache(maxsize=64)
def _background_mask(width: int, height: int, radius: int) -> Image.Image:
    """Opacity of the background of a label."""
    mask = Image.new("L", (width * _SUPERSAMPLING, height * _SUPERSAMPLING))
    edge = (0, 0, mask.width - 1, mask.height - 1)
    fill = round(255 * _OPACITY)
    ImageDraw.Draw(mask).rounded_rectangle(edge, radius=radius * _SUPERSAMPLING, fill=fill)
    return mask.resize((width, height), Image.Resampling.BOX)
