"""`place_labels`: which label each face gets, and where; `LabelState`: labels of the last frames.

A panel (bars of all labels) goes beside its face, inside the image, over no face and no other
label. Faces without room for one get a chip (name and striped line). A single face gets a panel
of three rows instead: beside it, else in the corner that covers least of eyes, nose and mouth.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from emopy.present.face_labels import COMPACT_ROWS, Rectangle, Style, chip_size, panel_size
from emopy.types import ImageResult

_WAIT_S = 1.0
"""Seconds for which there must be room before a label of a video is replaced by a larger one."""

_FORGET_S = 2.0
"""Seconds after which the label of a lost face is forgotten."""

_FONT_TOLERANCE = 0.2
"""Relative error of the font size up to which a video keeps it."""

_MOVING_COST = 0.5
"""Cost of moving a chip by its height; covering a face with a fifth of it costs as much."""

_CORNER_HYSTERESIS = 0.25
"""Fraction of a panel that must be covered less before it moves to another corner."""

Kind = Literal["panel", "compact", "corner", "chip"]

_SIZE_ORDER: tuple[Kind, ...] = ("chip", "corner", "compact", "panel")
_KINDS_OF_SEVERAL: tuple[Kind, ...] = ("panel", "chip")


class Label(NamedTuple):
    """A label of a face: a panel, a panel of three rows (beside or in a corner), or a chip."""

    kind: Kind
    place: Rectangle


def choose_style(size: tuple[int, int], boxes: Sequence[Rectangle]) -> Style:
    """Return sizes for an image of (width, height) with faces: smaller where faces are small."""
    font = 3 + min(size) * 0.03
    if boxes:
        # About seven letters to the width of the typical face, but never too small to read.
        typical = statistics.median(box.width for box in boxes)
        font = min(font, max(typical / 5.5, min(size) * 0.017))
    # The widest label, "contempt 100 %" and its number, stays within the image.
    font = round(min(max(font, 11.0), max(size[0] / 12, 5.0), max(size[1] / 3, 5.0)))
    return Style(font=font, line=max(2, round(font / 8)), gap=max(2, round(font * 0.4)))


class LabelState:
    """Keeps the labels of a video still; use one object for all frames in `draw_faces`.

    A label keeps its side of the face while there is room, its place while the box only jitters,
    and its font size.
    """

    def __init__(self) -> None:
        self._style: Style | None = None
        self._labels: dict[int, tuple[float, Label]] = {}  # track → time of last drawing, label
        self._room_since: dict[tuple[int, Kind], float] = {}

    def style(self, wanted: Style) -> Style:
        """Return the last sizes, unless the wanted font size is clearly different."""
        if self._style is None or abs(1 - self._style.font / wanted.font) > _FONT_TOLERANCE:
            self._style = wanted
        return self._style

    def last(self, track: int | None) -> Label | None:
        """Return the last label of a track."""
        known = None if track is None else self._labels.get(track)
        return None if known is None else known[1]

    def allows(self, kind: Kind, track: int | None, time_s: float | None, *, room: bool) -> bool:
        """Return whether a track may have a label of this kind, given whether there is room now.

        A label is replaced by a larger one only where there was room for a second.
        """
        last = self.last(track)
        larger = last is not None and _SIZE_ORDER.index(kind) > _SIZE_ORDER.index(last.kind)
        if track is None or time_s is None or not larger:
            return room
        if not room:
            self._room_since.pop((track, kind), None)
            return False
        return time_s - self._room_since.setdefault((track, kind), time_s) >= _WAIT_S

    def update(self, labels: Mapping[int | None, Label], time_s: float | None) -> None:
        """Store the labels of a frame by track; forget tracks that are lost for long."""
        now = time_s or 0.0
        self._labels |= {key: (now, label) for key, label in labels.items() if key is not None}
        for track, (drawn_s, label) in list(self._labels.items()):
            self._room_since.pop((track, label.kind), None)
            if not 0 <= now - drawn_s <= _FORGET_S:
                del self._labels[track]
                for kind in _SIZE_ORDER:
                    self._room_since.pop((track, kind), None)


def number_of(result: ImageResult, index: int) -> int | None:
    """Return the number on a face's label: its track, else its number unless it is alone."""
    track = result.faces[index].face.track
    return track if track is not None else index + 1 if len(result.faces) > 1 else None


def place_labels(
    result: ImageResult,
    boxes: Sequence[Rectangle],
    canvas: tuple[int, int],
    state: LabelState | None,
) -> tuple[Style, dict[int, Label]]:
    """Return the sizes to draw with, and labels by the index of their face in drawing order.

    `boxes` are those of the faces in the canvas of (width, height) pixels; `state` holds the labels
    of earlier frames.
    """
    state = state or LabelState()
    style = state.style(choose_style(canvas, boxes))
    labels = _Layout(result, boxes, canvas, style, state).place()
    state.update({result.faces[i].face.track: label for i, label in labels.items()}, result.time_s)
    return style, labels


@dataclass(frozen=True)
class _Layout:
    result: ImageResult
    boxes: Sequence[Rectangle]
    canvas: tuple[int, int]
    style: Style
    state: LabelState

    def place(self) -> dict[int, Label]:
        """Place labels of all faces: panels first, and first those that had one before."""
        labels: dict[int, Label] = {}
        for kind in reversed(_SIZE_ORDER) if len(self.boxes) == 1 else _KINDS_OF_SEVERAL:
            for index in self._order(kind):
                if index not in labels:
                    label = self._place(kind, index, [label.place for label in labels.values()])
                    if label is not None:
                        labels[index] = label
        return labels

    def _place(self, kind: Kind, index: int, others: Sequence[Rectangle]) -> Label | None:
        """Return the label of this kind for a face, or None without room among other labels."""
        face, box = self.result.faces[index], self.boxes[index]
        number = number_of(self.result, index)
        last = self.state.last(face.track)
        previous = last.place if last and last.kind == kind else None
        if kind == "chip":
            size = chip_size(face.prediction, number, self.style)
            place = place_chip(size, box, self.boxes, others, self.canvas, previous=previous)
        else:
            rows = None if kind == "panel" else COMPACT_ROWS
            size = panel_size(face.prediction, number, self.style, rows=rows)
            if kind == "corner":
                place = place_corner(size, box, self.canvas, self.style, previous=previous)
            else:
                occupied = [*self.boxes, *others]
                place = place_panel(size, box, occupied, self.canvas, self.style, previous=previous)
        room = place is not None
        allowed = self.state.allows(kind, face.track, self.result.time_s, room=room)
        return Label(kind, place) if place is not None and allowed else None

    def _order(self, kind: Kind) -> list[int]:
        """Indices of faces: those with this kind of label before by track, then the others."""

        def rank(index: int) -> tuple[bool, int]:
            track = self.result.faces[index].face.track
            last = self.state.last(track)
            had = last is not None and last.kind == kind
            return (not had, track if had and track is not None else index)

        return sorted(range(len(self.boxes)), key=rank)


def place_panel(
    size: tuple[int, int],
    box: Rectangle,
    occupied: Sequence[Rectangle],
    canvas: tuple[int, int],
    style: Style,
    *,
    previous: Rectangle | None = None,
) -> Rectangle | None:
    """Return a free place right of a box, left of it, below or above it; None without one.

    Args:
        size: (width, height) of the panel.
        box: Box of the face.
        occupied: Rectangles that must not be covered, the box among them.
        canvas: (width, height) of the image.
        style: Sizes in use.
        previous: Place in the last frame: the nearest free place is used, and it follows the box
            only when that moves by more than a few pixels.
    """
    width, height = size
    if width > canvas[0] or height > canvas[1]:
        return None
    margin = style.line + style.gap // 2
    image = Rectangle(0, 0, *canvas)
    for offsets in (_aligned_offset, _shifted_offsets):
        tops = offsets(box[1::2], height, canvas[1], [each[1::2] for each in occupied])
        lefts = offsets(box[::2], width, canvas[0], [each[::2] for each in occupied])
        corners = [
            *((box.right + margin, top) for top in tops),
            *((box.left - margin - width, top) for top in tops),
            *((left, box.bottom + margin) for left in lefts),
            *((left, box.top - margin - height) for left in lefts),
        ]
        places = [Rectangle(left, top, left + width, top + height) for left, top in corners]
        free = [place for place in places if _is_free(place, image, occupied)]
        if not free:
            continue
        if previous is None:
            return free[0]
        nearest = min(free, key=lambda place: _distance(place, previous))
        following = _follow(nearest, previous, margin // 2)
        return following if _is_free(following, image, occupied) else nearest
    return None


_Spans = Sequence[Sequence[int]]


def _aligned_offset(side: Sequence[int], length: int, limit: int, occupied: _Spans) -> list[int]:
    """The start of a panel that is aligned with the start of a side of the box."""
    del occupied
    return [_clamp(side[0], length, limit)]


def _shifted_offsets(side: Sequence[int], length: int, limit: int, occupied: _Spans) -> list[int]:
    """Starts of a panel next to something occupied, or at the end of a side of the box.

    The panel touches the side; the starts nearest to the start of the side come first.
    """
    start, end = side
    edges = {end - length}.union(*((last, first - length) for first, last in occupied))
    possible = {_clamp(edge, length, limit) for edge in edges}
    touching = [offset for offset in possible if offset < end and offset + length > start]
    return sorted(touching, key=lambda offset: (abs(offset - start), offset))


def place_corner(
    size: tuple[int, int],
    box: Rectangle,
    canvas: tuple[int, int],
    style: Style,
    *,
    previous: Rectangle | None = None,
) -> Rectangle | None:
    """Return the place of a panel in the corner where it covers least of eyes, nose and mouth.

    None where the panel would fill most of the image.
    """
    width, height = size
    if style.gap + width > canvas[0] * 0.75 or height > canvas[1] * 0.4:
        return None
    # Of a detector's box: without forehead, chin and cheeks.
    features = Rectangle(
        box.left + round(0.15 * box.width),
        box.top + round(0.25 * box.height),
        box.right - round(0.15 * box.width),
        box.bottom - round(0.1 * box.height),
    )
    right, bottom = canvas[0] - style.gap - width, canvas[1] - style.gap - height
    corners = [(style.gap, bottom), (right, bottom), (style.gap, style.gap), (right, style.gap)]
    places = [Rectangle(left, top, left + width, top + height) for left, top in corners]

    def cost(place: Rectangle) -> float:
        covered = place.overlap(features) / place.area
        return covered - (_CORNER_HYSTERESIS if place == previous else 0.0)

    return min(places, key=cost)


def place_chip(
    size: tuple[int, int],
    box: Rectangle,
    faces: Sequence[Rectangle],
    labels: Sequence[Rectangle],
    canvas: tuple[int, int],
    *,
    previous: Rectangle | None = None,
) -> Rectangle | None:
    """Return the best place of a chip; None only where it is larger than the image.

    Above the box is best, then below, then inside it. Covering another label costs most, then
    covering faces, its own face least. The chip leaves its place in the last frame, `previous`,
    only for a clearly better one.
    """
    width, height = size
    if width > canvas[0] or height > canvas[1]:
        return None
    lefts = (box.left, box.right - width, (box.left + box.right - width) // 2)
    tops = (box.top - height, box.bottom, box.top, box.bottom - height)
    tops += (box.top - 2 * height, box.bottom + height)
    costs: dict[Rectangle, float] = {}
    for rank, top in enumerate(tops):
        for left in lefts:
            x, y = _clamp(left, width, canvas[0]), _clamp(top, height, canvas[1])
            place = Rectangle(x, y, x + width, y + height)
            cost = 100.0 * sum(map(place.overlap, labels)) + 3.0 * sum(map(place.overlap, faces))
            cost = (cost - 2.0 * place.overlap(box)) / place.area + rank / 10
            if previous is not None:
                cost += _MOVING_COST * min(_distance(place, previous) / height, 1.0)
            costs[place] = min(cost, costs.get(place, cost))
    best = min(costs, key=costs.__getitem__)
    if previous is None:
        return best
    following = _follow(best, previous, max(1, height // 10))
    left = _clamp(following.left, width, canvas[0])
    return Rectangle(left, following.top, left + width, following.bottom)


def _is_free(place: Rectangle, image: Rectangle, occupied: Sequence[Rectangle]) -> bool:
    inside = place.overlap(image) == place.area
    return inside and not any(place.overlap(other) for other in occupied)


def _distance(one: Rectangle, other: Rectangle) -> int:
    """City-block distance between the upper corners of the nearer side."""
    sides = abs(one.left - other.left), abs(one.right - other.right)
    return min(sides) + abs(one.top - other.top)


def _follow(wanted: Rectangle, previous: Rectangle, slack: int) -> Rectangle:
    """The place within `slack` pixels of the wanted one that is nearest to the previous one."""
    left = min(max(previous.left, wanted.left - slack), wanted.left + slack)
    top = min(max(previous.top, wanted.top - slack), wanted.top + slack)
    return Rectangle(left, top, left + wanted.width, top + wanted.height)


def _clamp(start: int, length: int, limit: int) -> int:
    """The start nearest to the wanted one so that `length` pixels end within `limit`."""
    return min(max(start, 0), limit - length)
