"""Where labels go on an image: inside it, beside faces rather than on them, apart."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import NamedTuple

_MOVING_COST = 0.5
"""What it costs a name to jump from where it stood: about a fifth of it on a face."""


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
        """Pixels inside."""
        return self.width * self.height

    def shared(self, other: Rectangle) -> int:
        """Pixels that both cover."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(width, 0) * max(height, 0)


class Style(NamedTuple):
    """Sizes in pixels that fit an image and its faces.

    Attributes:
        font: Height of letters.
        line: Width of a box's coloured line.
        gap: Space around text.
    """

    font: int
    line: int
    gap: int


def choose_style(size: tuple[int, int], boxes: Sequence[Rectangle]) -> Style:
    """Choose sizes: by the image's shorter side, less where faces are small.

    Args:
        size: (width, height) of the image.
        boxes: Every face.
    """
    side = min(size)
    font = 3 + side * 0.03
    if boxes:
        # About seven letters to the width of the typical face, but never too small to read.
        typical = statistics.median(box.width for box in boxes)
        font = min(font, max(typical / 5.5, side * 0.017))
    # The widest label, "contempt 100 %" and its number, stays within the image.
    font = round(min(max(font, 11.0), max(size[0] / 12, 5.0), max(size[1] / 3, 5.0)))
    return Style(font=font, line=max(2, round(font / 8)), gap=max(2, round(font * 0.4)))


def place_panel(
    size: tuple[int, int],
    box: Rectangle,
    taken: Sequence[Rectangle],
    image: tuple[int, int],
    style: Style,
    *,
    before: Rectangle | None = None,
) -> Rectangle | None:
    """Find a free place that touches a box: right, left, below or above it.

    Args:
        size: (width, height) of the panel.
        box: The face it belongs to.
        taken: Every rectangle not to be covered, the box among them.
        image: (width, height) of the image.
        style: Sizes in use.
        before: Where it stood in the last frame: of the free places the nearest is taken, and
            the panel follows a trembling box only when it would lag behind.

    Returns:
        The place, or None where there is none.
    """
    width, height = size
    if width > image[0] or height > image[1]:
        return None
    apart = style.line + style.gap // 2
    level = _within(box.top, height, image[1])
    beside = _within(box.left, width, image[0])
    corners = [
        (box.right + apart, level),
        (box.left - apart - width, level),
        (beside, box.bottom + apart),
        (beside, box.top - apart - height),
    ]
    frame = Rectangle(0, 0, *image)
    places = [Rectangle(left, top, left + width, top + height) for left, top in corners]
    free = [place for place in places if _is_free(place, frame, taken)]
    if not free or before is None:
        return free[0] if free else None
    nearest = min(free, key=lambda place: _distance(place, before))
    lagging = _leashed(nearest, before, apart // 2)
    return lagging if _is_free(lagging, frame, taken) else nearest


def place_chip(
    size: tuple[int, int],
    box: Rectangle,
    faces: Sequence[Rectangle],
    labels: Sequence[Rectangle],
    image: tuple[int, int],
    *,
    before: Rectangle | None = None,
) -> Rectangle | None:
    """Find the best place for a name: it always gets one, unless the image is too small.

    Above the box is best, then below, then inside it. Covering another label costs most, then
    covering faces, the own one least. Given where the name stood `before`, in the last frame, it
    leaves there only for a clearly better place.

    Returns:
        The place, or None where the label is larger than the image.
    """
    width, height = size
    if width > image[0] or height > image[1]:
        return None
    lefts = (box.left, box.right - width, (box.left + box.right - width) // 2)
    tops = (box.top - height, box.bottom, box.top, box.bottom - height)
    tops += (box.top - 2 * height, box.bottom + height)
    best: tuple[float, Rectangle] | None = None
    for rank, top in enumerate(tops):
        for left in lefts:
            x, y = _within(left, width, image[0]), _within(top, height, image[1])
            place = Rectangle(x, y, x + width, y + height)
            cost = 100.0 * sum(map(place.shared, labels)) + 3.0 * sum(map(place.shared, faces))
            cost = (cost - 2.0 * place.shared(box)) / place.area + rank / 10
            if before is not None:
                cost += _MOVING_COST * min(_distance(place, before) / height, 1.0)
            if best is None or cost < best[0]:
                best = (cost, place)
    if best is None or before is None:
        return None if best is None else best[1]
    lagging = _leashed(best[1], before, max(1, height // 10))
    left = _within(lagging.left, width, image[0])
    return Rectangle(left, lagging.top, left + width, lagging.bottom)


def _is_free(place: Rectangle, frame: Rectangle, taken: Sequence[Rectangle]) -> bool:
    inside = place.shared(frame) == place.area
    return inside and not any(place.shared(other) for other in taken)


def _distance(one: Rectangle, other: Rectangle) -> int:
    """Between the upper corners on the nearer side, along both axes together."""
    sides = abs(one.left - other.left), abs(one.right - other.right)
    return min(sides) + abs(one.top - other.top)


def _leashed(wanted: Rectangle, before: Rectangle, slack: int) -> Rectangle:
    """The wanted place, as near to the last one as a leash of `slack` pixels allows."""
    left = min(max(before.left, wanted.left - slack), wanted.left + slack)
    top = min(max(before.top, wanted.top - slack), wanted.top + slack)
    return Rectangle(left, top, left + wanted.width, top + wanted.height)


def _within(start: int, length: int, whole: int) -> int:
    """The start nearest to the wanted one from which `length` pixels fit."""
    return min(max(start, 0), whole - length)
