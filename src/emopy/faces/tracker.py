"""Which face is whose: the same person keeps one number through a video.

Each face found is paired with the person it fits best, all pairs together: by the place where
that person should be by now, by size, and by looks.

Source: Bewley, Ge, Ott, Ramos, Upcroft 2016, "Simple Online and Realtime Tracking",
https://doi.org/10.1109/ICIP.2016.7533003; for looks Wojke, Bewley, Paulus 2017, "Simple Online and
Realtime Tracking with a Deep Association Metric", https://doi.org/10.1109/ICIP.2017.8296962.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from emopy.errors import InputError
from emopy.faces.appearance import Look, ShotChanges, appearance, cosine_similarity
from emopy.faces.linear_assignment import linear_assignment
from emopy.types import Box, Face, RGBImage

REACH = 0.7
REACH_PER_S = 1.5
LONGEST_REACH = 2.5
"""How far from the expected place a face may be, in sides of a face: at once, more for each second
without the person, and at most."""

SIZE_RATIO = 1.6
LONG_SIZE_RATIO = 2.5
"""How much a face may grow or shrink at once, and within a second."""

LEAST_LIKE = 0.2
SURELY_LIKE = 0.6
"""Likeness from which somebody who was lost may be the one who comes, and from which a look is
learnt. Two photographs of strangers have 0.3 in the middle; one face that tilts, 0.75 and more."""

PLACE_COST = 2.5
SIZE_COST = 0.5
LOOK_COST = 4.0
LOST_COST = 0.3
ALONE_COST = 20.0
"""Weights of the reach used up, of growth, of unlikeness, and of having been lost; and the cost of
a face without a person, above all others: whoever can be the same is the same."""

PLACE_S = 0.05
SPEED_S = 0.15
LOOK_S = 1.0
DAMPING_S = 1.0
"""Time constants in seconds: of the averages of place, speed and looks, and of slowing down where
nobody is seen."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Where a person should be.

    Attributes:
        track: The person's number.
        box: Where the face should be by now.
        lost_s: Since when it is not found any more, in seconds; None if it was found last time.
    """

    track: int
    box: Box
    lost_s: float | None


class Tracker:
    """Give faces numbers that stay with a person through one video.

    A person keeps the number through gaps of up to `keep_s`: hidden behind somebody, out of the
    image, missed by the detector. Whoever comes back later gets a new one. Given the images, it
    knows people by their looks when their ways cross, and ends all tracks at a cut. Numbers count
    from 1 and are never used again. Memory does not grow: who is gone is forgotten.

    Args:
        keep_s: Longest gap in seconds, counted from the first frame without the face.

    Attributes:
        keep_s: Longest gap in seconds.
        shot: Number of the shot, from 1; it grows with each cut.

    Raises:
        InputError: `keep_s` is negative or not a number.

    Example:
        >>> tracker = Tracker()
        >>> faces = (Face(Box(10, 10, 50, 50)), Face(Box(90, 10, 130, 50)))
        >>> [face.track for face in tracker.update(faces, 0.0)]
        [1, 2]
        >>> [face.track for face in tracker.update(faces[::-1], 0.04)]
        [2, 1]
    """

    def __init__(self, *, keep_s: float = 2.0) -> None:
        if not 0 <= keep_s < math.inf:
            raise InputError(
                f"`keep_s` must be 0 or more seconds. Received {keep_s}. Type for example: 2.0"
            )
        self.keep_s = keep_s
        self.shot = 1
        self._people: list[_Person] = []
        self._last_number = 0
        self._time_s = -math.inf
        self._cuts = ShotChanges()

    def expect(self, time_s: float, image: RGBImage | None = None) -> tuple[Expected, ...]:
        """Say where the people should be; at a cut, nobody is expected.

        Ask before `update`, with the same time and image, or leave it out.

        Args:
            time_s: Time of the frame in seconds.
            image: (H, W, 3) uint8, the frame: lets it see cuts.

        Returns:
            Everybody who is kept, in the order of their numbers.

        Raises:
            InputError: `time_s` is not a finite number.
        """
        self._go_on(time_s, image)
        return tuple(
            Expected(person.number, person.expected(time_s), person.lost_s)
            for person in self._people
        )

    def update(
        self, faces: Sequence[Face], time_s: float, image: RGBImage | None = None
    ) -> tuple[Face, ...]:
        """Number the faces of the next frame.

        Args:
            faces: All faces found in the frame.
            time_s: Time of the frame in seconds, not before that of the last frame. Steps may
                differ. A time before the last one starts anew: all tracks end.
            image: (H, W, 3) uint8, the frame: lets it see looks and cuts.

        Returns:
            The same faces in the same order, each with its `track`.

        Raises:
            InputError: `time_s` is not a finite number.
        """
        self._go_on(time_s, image)
        looks = [None if image is None else appearance(image, face) for face in faces]
        costs = np.array(
            [
                [person.cost(face, look, time_s) for person in self._people]
                for face, look in zip(faces, looks, strict=True)
            ],
            dtype=np.float64,
        ).reshape(len(faces), len(self._people))
        owners = {
            row: self._people[column] for row, column in linear_assignment(costs, alone=ALONE_COST)
        }
        for person in self._people:
            if person.lost_s is None and person not in owners.values():
                person.lost_s = time_s
        for row, (face, look) in enumerate(zip(faces, looks, strict=True)):
            if row in owners:
                owners[row].see(face, look, time_s)
            else:
                self._last_number += 1
                owners[row] = _Person(self._last_number, face.box, time_s, look)
                self._people.append(owners[row])
        return tuple(replace(face, track=owners[row].number) for row, face in enumerate(faces))

    def _go_on(self, time_s: float, image: RGBImage | None) -> None:
        if not math.isfinite(time_s):
            raise InputError(
                f"`time_s` must be a time in seconds. Received {time_s}. Type for example: 0.04"
            )
        if time_s == self._time_s:
            return
        cut = image is not None and self._cuts(image)
        if cut or time_s < self._time_s:
            self._people.clear()
            self.shot += 1
        self._people = [
            person
            for person in self._people
            if person.lost_s is None or time_s - person.lost_s <= self.keep_s
        ]
        self._time_s = time_s


@dataclass(slots=True, eq=False)
class _Person:
    """What is known of one person: last place, speed, looks."""

    number: int
    box: Box
    seen_s: float
    look: Look | None
    lost_s: float | None = None
    speed: complex = 0j

    def expected(self, time_s: float) -> Box:
        """The last box, moved on; who is not seen is taken to slow down."""
        moved = self._moved(time_s)
        return Box(
            self.box.left + moved.real,
            self.box.top + moved.imag,
            self.box.right + moved.real,
            self.box.bottom + moved.imag,
        )

    def cost(self, face: Face, look: Look | None, time_s: float) -> float:
        """How badly a face fits this person; infinite where it cannot be the same."""
        gap_s = time_s - self.seen_s
        sides = math.sqrt(_side(self.box) * _side(face.box))
        away = _middle(face.box) - _middle(self.box)
        # Whoever is not seen may have stopped anywhere on the way.
        far = _to_way(away, self._moved(time_s)) / sides
        growth = abs(math.log(_side(face.box) / _side(self.box)))
        allowed = SIZE_RATIO * (LONG_SIZE_RATIO / SIZE_RATIO) ** min(1.0, gap_s)
        reach = min(LONGEST_REACH, REACH + REACH_PER_S * gap_s)
        if far > reach or growth > math.log(allowed):
            return math.inf
        cost = PLACE_COST * far / reach + SIZE_COST * growth
        cost += 0 if self.lost_s is None else LOST_COST
        if look is not None and self.look is not None:
            alike = cosine_similarity(look, self.look)
            if self.lost_s is not None and alike < LEAST_LIKE:
                return math.inf
            cost += LOOK_COST * (1 - alike)
        return cost

    def see(self, face: Face, look: Look | None, time_s: float) -> None:
        """Learn place, speed and looks from a face of this person."""
        gap_s = time_s - self.seen_s
        if gap_s > 0:
            expected = self.expected(time_s)
            miss = (_middle(face.box) - _middle(expected)) / gap_s
            self.speed += miss * _share(gap_s, SPEED_S)
            self.box = _between(expected, face.box, _share(gap_s, PLACE_S))
        if self.look is None:
            self.look = look
        # Somebody in front may hide the face: that is not learnt.
        elif look is not None and cosine_similarity(look, self.look) > SURELY_LIKE:
            mixed = self.look + (look - self.look) * np.float32(_share(gap_s, LOOK_S))
            self.look = np.asarray(mixed / np.linalg.norm(mixed), dtype=np.float32)
        self.seen_s, self.lost_s = time_s, None

    def _moved(self, time_s: float) -> complex:
        return self.speed * DAMPING_S * _share(time_s - self.seen_s, DAMPING_S)


def _middle(box: Box) -> complex:
    return complex(*box.center)


def _side(box: Box) -> float:
    return math.sqrt(box.width * box.height)


def _share(gap_s: float, constant_s: float) -> float:
    """Weight of a new value in an average with a time constant, after any gap."""
    return 1 - math.exp(-gap_s / constant_s)


def _between(one: Box, other: Box, share: float) -> Box:
    """The box on the way from one to the other."""
    return Box(
        one.left + (other.left - one.left) * share,
        one.top + (other.top - one.top) * share,
        one.right + (other.right - one.right) * share,
        one.bottom + (other.bottom - one.bottom) * share,
    )


def _to_way(point: complex, way: complex) -> float:
    """Distance of a point from the straight way between 0 and `way`."""
    length = abs(way)
    if length == 0:
        return abs(point)
    along = (point * way.conjugate()).real / length**2
    return abs(point - way * min(1.0, max(0.0, along)))
