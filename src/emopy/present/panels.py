"""The two kinds of label on an image: a panel with bars, and a chip with a striped line."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache

from PIL import Image, ImageDraw, ImageFont

from emopy.labels import canonical
from emopy.present.layout import Rectangle, Style
from emopy.present.text import NOT_SURE
from emopy.types import Prediction

Color = tuple[int, int, int]

COLORS: dict[str, Color] = {
    "anger": (213, 94, 0),  # vermilion
    "contempt": (230, 159, 0),  # orange
    "disgust": (0, 158, 115),  # bluish green
    "fear": (204, 121, 167),  # reddish purple
    "happiness": (240, 228, 66),  # yellow
    "neutral": (187, 187, 187),  # gray, for the palette's black: black is the ground here
    "sadness": (0, 114, 178),  # blue
    "surprise": (86, 180, 233),  # sky blue
}
"""RGB colour of each emotion.

Source: Okabe & Ito, "Color Universal Design", https://jfly.uni-koeln.de/color/
"""

_INK: Color = (255, 255, 255)
_FAINT: Color = (205, 205, 210)
_GROUND: Color = (18, 18, 22)
_TRACK: Color = (78, 78, 84)
_OPACITY = 0.80
_SMOOTH = 4  # a corner is drawn this many times larger, then shrunk: no jagged edge


def color_of(label: str | None, labels: Sequence[str]) -> Color:
    """The colour of a label's emotion; other labels share the palette in their order."""
    if label is None:
        return _INK
    if color := COLORS.get(canonical(label)):
        return color
    palette = list(COLORS.values())
    return palette[labels.index(label) % len(palette)]


def panel_size(
    prediction: Prediction, number: int | None, style: Style, *, rows: int | None = None
) -> tuple[int, int]:
    """(width, height) in pixels of a panel; `rows` as in `panel`."""
    names = max(_width(label, style) for label in prediction.labels)
    title = _width(_title(prediction, number), style)
    inner = max(names + _bar_length(style) + _width("100 %", style) + 2 * style.gap, title)
    lines = 1 + (len(prediction.labels) if rows is None else min(rows, len(prediction.labels)))
    return inner + 2 * style.gap, lines * _row_height(style) + 3 * style.gap


def panel(
    canvas: Image.Image,
    place: Rectangle,
    prediction: Prediction,
    number: int | None,
    style: Style,
    *,
    rows: int | None = None,
) -> None:
    """Draw the emotion, and below it a bar per label, into a place of `panel_size`.

    With `rows`, only that many of the most probable labels, most probable first.
    """
    _glass(canvas, place, style)
    draw = ImageDraw.Draw(canvas)
    row = _row_height(style)
    left, right, y = place.left + style.gap, place.right - style.gap, place.top + style.gap
    _write(draw, (left, y + row // 2), _title(prediction, number), style, _INK)
    y += row + style.gap
    names = max(_width(label, style) for label in prediction.labels)
    start, end = left + names + style.gap, right - _width("100 %", style) - style.gap
    thick = max(3, round(style.font * 0.5))
    shares = tuple(prediction.as_dict().items()) if rows is None else prediction.top(rows)
    for label, share in shares:
        ink = _INK if label == prediction.emotion else _FAINT
        middle = y + row // 2
        _write(draw, (left, middle), label, style, ink)
        top = middle - thick // 2
        draw.rectangle((start, top, end - 1, top + thick - 1), fill=_TRACK)
        if filled := round((end - start) * _part(share)):
            color = color_of(label, prediction.labels)
            draw.rectangle((start, top, start + filled - 1, top + thick - 1), fill=color)
        text = _percent(share)
        _write(draw, (right - _width(text, style), middle), text, style, ink)
        y += row


def chip_size(prediction: Prediction, number: int | None, style: Style) -> tuple[int, int]:
    """(width, height) in pixels of a chip."""
    inner = _width(_title(prediction, number), style)
    stripe = _stripe_height(style)
    return inner + 2 * style.gap, _row_height(style) + stripe + style.gap


def chip(
    canvas: Image.Image,
    place: Rectangle,
    prediction: Prediction,
    number: int | None,
    style: Style,
) -> None:
    """Draw the emotion, and under it one line shared among the labels' colours."""
    _glass(canvas, place, style)
    draw = ImageDraw.Draw(canvas)
    left, right = place.left + style.gap, place.right - style.gap
    middle = place.top + style.gap // 4 + _row_height(style) // 2
    _write(draw, (left, middle), _title(prediction, number), style, _INK)
    bottom = place.bottom - style.gap // 2 - 1
    top = bottom - _stripe_height(style) + 1
    draw.rectangle((left, top, right - 1, bottom), fill=_TRACK)
    done = 0.0
    for label, share in prediction.top(len(prediction.labels)):
        begin, done = done, min(done + _part(share), 1.0)
        start, end = (left + round((right - left) * edge) for edge in (begin, done))
        if end > start:
            color = color_of(label, prediction.labels)
            draw.rectangle((start, top, end - 1, bottom), fill=color)


def _title(prediction: Prediction, number: int | None) -> str:
    title = f"{prediction.emotion or NOT_SURE} {_percent(prediction.confidence)}"
    return title if number is None else f"{number}  {title}"


def _percent(share: float) -> str:
    return f"{_part(share) * 100:.0f} %"


def _part(share: float) -> float:
    """A share within 0–1; 0 for NaN."""
    return min(max(share, 0.0), 1.0) if share == share else 0.0


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
def _width(text: str, style: Style) -> int:
    return round(_font(style.font).getbbox(text)[2])


def _write(
    draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, style: Style, ink: Color
) -> None:
    """Text that starts at x and has the middle of its small letters at y."""
    font = _font(style.font)
    if isinstance(font, ImageFont.FreeTypeFont):
        # Capitals and ascenders reach about 0.7 of the size above the line on which they stand.
        draw.text((at[0], at[1] + round(style.font * 0.33)), text, ink, font, anchor="ls")
    else:
        draw.text((at[0], at[1] - style.font // 2), text, ink, font)


def _glass(canvas: Image.Image, place: Rectangle, style: Style) -> None:
    """Darken a rectangle with round corners; the image shimmers through."""
    mask = _pane(place.width, place.height, style.gap)
    canvas.paste(_GROUND, (place.left, place.top, place.right, place.bottom), mask)


@lru_cache(maxsize=64)
def _pane(width: int, height: int, radius: int) -> Image.Image:
    """How opaque the glass is: a rectangle with round corners."""
    mask = Image.new("L", (width * _SMOOTH, height * _SMOOTH))
    edge = (0, 0, mask.width - 1, mask.height - 1)
    fill = round(255 * _OPACITY)
    ImageDraw.Draw(mask).rounded_rectangle(edge, radius=radius * _SMOOTH, fill=fill)
    return mask.resize((width, height), Image.Resampling.BOX)
