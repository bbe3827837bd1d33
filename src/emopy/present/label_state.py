"""`place_labels`: which label each face gets, and where; steady from frame to frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from emopy.present.layout import Rectangle, Style, choose_style, place_chip, place_panel
from emopy.present.panels import chip_size, panel_size
from emopy.types import ImageResult

CORNER_ROWS = 3
"""Emotions that a panel in the corner shows."""

_WAIT_S = 1.0
"""Seconds for which there must be room beside a face before its name grows to a panel."""

_FORGET_S = 2.0
"""Seconds after which the label of a face that is gone is forgotten."""

_SAME_LETTERS = 0.2
"""Part by which letters may be too large or small before they change their size."""


Kind = Literal["panel", "corner", "chip"]


class Label(NamedTuple):
    """What a face gets: bars beside it, bars in the corner of the image, or a name."""

    kind: Kind
    place: Rectangle


class LabelState:
    """Remembers the labels of a video, so that they stay where they are.

    Give the same one to `draw_faces` for every frame. A label then keeps its side of the face
    while there is room for it, its distance while the box only trembles, and its letters' size.
    """

    def __init__(self) -> None:
        self._style: Style | None = None
        self._labels: dict[int, tuple[float, Label]] = {}  # track → when drawn, what
        self._room_since: dict[int, float] = {}

    def style(self, wanted: Style) -> Style:
        """The sizes to use: the last ones, unless the letters are clearly too large or small."""
        if self._style is None or abs(1 - self._style.font / wanted.font) > _SAME_LETTERS:
            self._style = wanted
        return self._style

    def last(self, track: int | None) -> Label | None:
        """The label that a face had in the last frame that it was in."""
        held = None if track is None else self._labels.get(track)
        return None if held is None else held[1]

    def may_grow(self, track: int | None, time_s: float | None, *, room: bool) -> bool:
        """Whether a name may become a panel now, given whether there is room in this frame."""
        if track is None or time_s is None:
            return room
        if not room:
            self._room_since.pop(track, None)
            return False
        return time_s - self._room_since.setdefault(track, time_s) >= _WAIT_S

    def keep(self, labels: Mapping[int | None, Label], time_s: float | None) -> None:
        """Remember what was drawn, by track; forget what is long gone."""
        now = time_s or 0.0
        self._labels |= {
            track: (now, label) for track, label in labels.items() if track is not None
        }
        for track, (seen_s, label) in list(self._labels.items()):
            if label.kind == "panel":
                self._room_since.pop(track, None)
            if not 0 <= now - seen_s <= _FORGET_S:
                del self._labels[track]
                self._room_since.pop(track, None)


def number_of(result: ImageResult, index: int) -> int | None:
    """The number on a face's label: its track; else its place, unless it is alone."""
    track = result.faces[index].face.track
    return track if track is not None else index + 1 if len(result.faces) > 1 else None


def place_labels(
    result: ImageResult,
    boxes: Sequence[Rectangle],
    canvas: tuple[int, int],
    steady: LabelState | None,
) -> tuple[Style, dict[int, Label]]:
    """Choose a panel of bars per face where there is room for it; names for all others.

    Args:
        result: The faces.
        boxes: Their places in the canvas.
        canvas: (width, height) in pixels.
        steady: What the last frames looked like, or None.

    Returns:
        Sizes to draw with, and labels by the index of their face, in the order to draw.
    """
    memory = steady or LabelState()
    style = memory.style(choose_style(canvas, boxes))
    placer = _Placer(result, boxes, canvas, style, memory)
    labels = placer.corner() or placer.panels_and_chips()
    memory.keep({result.faces[i].face.track: label for i, label in labels.items()}, result.time_s)
    return style, labels


@dataclass(frozen=True)
class _Placer:
    result: ImageResult
    boxes: Sequence[Rectangle]
    canvas: tuple[int, int]
    style: Style
    memory: LabelState

    def corner(self) -> dict[int, Label] | None:
        """Label a face that fills the image: the top of the list, where a chin seldom is."""
        if len(self.boxes) != 1 or self._beside(0, self.boxes) is not None:
            return None
        prediction = self.result.faces[0].prediction
        wide, high = panel_size(prediction, number_of(self.result, 0), self.style, rows=CORNER_ROWS)
        left, bottom = self.style.gap, self.canvas[1] - self.style.gap
        if left + wide > self.canvas[0] * 0.75 or high > self.canvas[1] * 0.4:
            return None
        return {0: Label("corner", Rectangle(left, bottom - high, left + wide, bottom))}

    def panels_and_chips(self) -> dict[int, Label]:
        """Label all faces: panels first, and those that had the same label before."""
        labels: dict[int, Label] = {}
        for index in self._order("panel"):
            place = self._beside(index, [*self.boxes, *(label.place for label in labels.values())])
            if place is not None:
                labels[index] = Label("panel", place)
        for index in self._order("chip"):
            if index not in labels:
                place = self._near(index, [label.place for label in labels.values()])
                if place is not None:
                    labels[index] = Label("chip", place)
        return labels

    def _beside(self, index: int, taken: Sequence[Rectangle]) -> Rectangle | None:
        face, box = self.result.faces[index], self.boxes[index]
        size = panel_size(face.prediction, number_of(self.result, index), self.style)
        last = self.memory.last(face.face.track)
        before = last.place if last and last.kind == "panel" else None
        place = place_panel(size, box, taken, self.canvas, self.style, before=before)
        if last is None or last.kind == "panel":
            return place
        grows = self.memory.may_grow(face.face.track, self.result.time_s, room=place is not None)
        return place if grows else None

    def _near(self, index: int, taken: Sequence[Rectangle]) -> Rectangle | None:
        face, box = self.result.faces[index], self.boxes[index]
        size = chip_size(face.prediction, number_of(self.result, index), self.style)
        last = self.memory.last(face.face.track)
        before = last.place if last and last.kind == "chip" else None
        return place_chip(size, box, self.boxes, taken, self.canvas, before=before)

    def _order(self, kind: Kind) -> list[int]:
        """Faces that had this kind of label first, by track; the others as they come."""

        def rank(index: int) -> tuple[bool, int]:
            track = self.result.faces[index].face.track
            last = self.memory.last(track)
            had = last is not None and last.kind == kind
            return (not had, track if had and track is not None else index)

        return sorted(range(len(self.boxes)), key=rank)
