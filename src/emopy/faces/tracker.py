"""`Tracker`: the same person keeps one track number through a video.

Each detected face is assigned to the track that it fits best, all faces together: by the
predicted place, by size, and by appearance.

Source: Bewley, Ge, Ott, Ramos, Upcroft 2016, "Simple Online and Realtime Tracking",
https://doi.org/10.1109/ICIP.2016.7533003; with appearance: Wojke, Bewley, Paulus 2017, "Simple
Online and Realtime Tracking with a Deep Association Metric",
https://doi.org/10.1109/ICIP.2017.8296962.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emopy.errors import InputError
from emopy.faces.appearance import Descriptor, ShotChanges, appearance, cosine_similarity
from emopy.types import Box, Face, RGBImage

REACH, REACH_PER_S, MAX_REACH = 0.7, 1.5, 2.5
"""Largest distance of a face from its predicted place, in sides of a face: at once, more for each
second without the face, and at most."""

SIZE_RATIO, LONG_SIZE_RATIO = 1.6, 2.5
"""Largest ratio between two sizes of a face: at once, and after a second or more."""

MIN_SIMILARITY, UPDATE_SIMILARITY = 0.2, 0.6
"""Cosine similarity from which a face may continue a lost track further away than the first reach,
and from which the descriptor of a track is updated. Two photographs of strangers have a median of
0.3; one face that tilts has 0.75 or more."""

PLACE_COST, SIZE_COST, APPEARANCE_COST, LOST_COST, NEW_TRACK_COST = 2.5, 0.5, 4.0, 0.3, 20.0
"""Weights of the distance relative to the reach, of the log size ratio, and of 1 − similarity; the
cost of a lost track; and the cost of a new track, above all others: a face that can continue a
track does."""

PLACE_S, SPEED_S, APPEARANCE_S, DAMPING_S = 0.05, 0.15, 1.0, 1.0
"""Time constants in seconds: of the averages of place, speed and appearance, and of slowing down
while a face is not detected."""

MIN_STEP_S = 1e-6
"""Shortest time between two frames, in seconds: over a shorter one a speed would be meaningless."""


@dataclass(frozen=True, slots=True)
class PredictedBox:
    """The predicted place of a track's face.

    Attributes:
        track: Number of the track.
        box: Where the face should be by now.
        lost_s: Time of the first frame without the face, in seconds; None if the last frame had it.
    """

    track: int
    box: Box
    lost_s: float | None


class Tracker:
    """Assign track numbers to faces; a person keeps one number through a video.

    A track survives gaps of up to `keep_s`: a face that is hidden, out of the image or missed by
    the detector. A face that comes back later gets a new number. Given the images, the tracker
    compares appearances where people cross, and ends all tracks at a shot change. Numbers start at
    1 and are never reused. Memory stays flat: ended tracks are forgotten.

    Args:
        keep_s: Longest gap in seconds, from the first frame without the face.

    Attributes:
        keep_s: Longest gap in seconds.
        shot: Number of the shot, from 1; each shot change increases it.

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
        self._tracks: list[_Track] = []
        self._last_number = 0
        self._time_s = -math.inf
        self._is_new_shot = ShotChanges()

    def predict_boxes(
        self, time_s: float, image: RGBImage | None = None
    ) -> tuple[PredictedBox, ...]:
        """Predict where the tracked faces are, by track number; after a shot change there are none.

        Optional; call it before `update`, with the same time and image.

        Raises:
            InputError: `time_s` is not a finite number.
        """
        self._advance(time_s, image)
        return tuple(
            PredictedBox(track.number, track.predict_box(time_s), track.lost_s)
            for track in self._tracks
        )

    def update(
        self, faces: Sequence[Face], time_s: float, image: RGBImage | None = None
    ) -> tuple[Face, ...]:
        """Assign track numbers to the faces of the next frame.

        Args:
            faces: All faces detected in the frame.
            time_s: Time of the frame in seconds, not before that of the last frame. Steps may
                differ. A time before the last one starts anew: all tracks end.
            image: (H, W, 3) uint8, the frame, to compare appearances and detect shot changes.

        Returns:
            The same faces in the same order, each with its `track`.

        Raises:
            InputError: `time_s` is not a finite number.
        """
        self._advance(time_s, image)
        descriptors = [None if image is None else appearance(image, face) for face in faces]
        described = list(zip(faces, descriptors, strict=True))
        costs = np.empty((len(faces), len(self._tracks)))
        for row, face in enumerate(described):
            costs[row] = [track.cost(*face, time_s) for track in self._tracks]
        pairs = linear_assignment(costs, max_cost=NEW_TRACK_COST)
        assigned = {row: self._tracks[column] for row, column in pairs}
        for track in self._tracks:
            if track.lost_s is None and track not in assigned.values():
                track.lost_s = time_s
        for row, (face, descriptor) in enumerate(described):
            if row in assigned:
                assigned[row].update(face, descriptor, time_s)
            else:
                self._last_number += 1
                assigned[row] = _Track(self._last_number, face.box, time_s, descriptor)
                self._tracks.append(assigned[row])
        return tuple(replace(face, track=assigned[row].number) for row, face in enumerate(faces))

    def _advance(self, time_s: float, image: RGBImage | None) -> None:
        """End tracks that are too old, or all at a shot change or an earlier time."""
        if not math.isfinite(time_s):
            raise InputError(
                f"`time_s` must be a time in seconds. Received {time_s}. Type for example: 0.04"
            )
        if time_s == self._time_s:
            return
        new_shot = image is not None and self._is_new_shot(image)
        if new_shot or time_s < self._time_s:
            self._tracks.clear()
            self.shot += 1
        self._tracks = [
            track
            for track in self._tracks
            if track.lost_s is None or time_s - track.lost_s <= self.keep_s
        ]
        self._time_s = time_s


@dataclass(slots=True, eq=False)
class _Track:
    """State of one track: last place, speed in pixels per second, appearance."""

    number: int
    box: Box
    seen_s: float
    descriptor: Descriptor | None
    lost_s: float | None = None
    speed: complex = 0j

    def predict_box(self, time_s: float) -> Box:
        """The last box, moved on by the speed, which decays while the face is not detected."""
        shift, box = self._predict_shift(time_s), self.box
        right, down = shift.real, shift.imag
        return Box(box.left + right, box.top + down, box.right + right, box.bottom + down)

    def cost(self, face: Face, descriptor: Descriptor | None, time_s: float) -> float:
        """Cost of assigning a face to this track; infinite where it cannot be the same."""
        gap_s = time_s - self.seen_s
        side = math.sqrt(_side(self.box) * _side(face.box))
        shift = _center(face.box) - _center(self.box)
        # While it was not detected, the face may have stopped anywhere on the predicted way.
        distance = _distance_to_segment(shift, self._predict_shift(time_s)) / side
        log_ratio = abs(math.log(_side(face.box) / _side(self.box)))
        max_ratio = SIZE_RATIO * (LONG_SIZE_RATIO / SIZE_RATIO) ** min(1.0, gap_s)
        reach = min(MAX_REACH, REACH + REACH_PER_S * gap_s)
        if distance > reach or log_ratio > math.log(max_ratio):
            return math.inf
        cost = PLACE_COST * distance / reach + SIZE_COST * log_ratio
        cost += 0 if self.lost_s is None else LOST_COST
        if descriptor is not None and self.descriptor is not None:
            similarity = cosine_similarity(descriptor, self.descriptor)
            # Near its place a face is the same even if a hand covers it or it has turned.
            if self.lost_s is not None and distance > REACH and similarity < MIN_SIMILARITY:
                return math.inf
            cost += APPEARANCE_COST * (1 - similarity)
        return cost

    def update(self, face: Face, descriptor: Descriptor | None, time_s: float) -> None:
        """Update place, speed and appearance from a face of this track."""
        gap_s = time_s - self.seen_s
        if gap_s >= MIN_STEP_S:
            predicted = self.predict_box(time_s)
            error = (_center(face.box) - _center(predicted)) / gap_s
            self.speed += error * _gain(gap_s, SPEED_S)
            self.box = _interpolate(predicted, face.box, _gain(gap_s, PLACE_S))
        if self.descriptor is None:
            self.descriptor = descriptor
        # A dissimilar crop may show somebody in front of the face: it is ignored.
        elif (
            descriptor is not None
            and cosine_similarity(descriptor, self.descriptor) > UPDATE_SIMILARITY
        ):
            gain = np.float32(_gain(gap_s, APPEARANCE_S))
            mean = self.descriptor + (descriptor - self.descriptor) * gain
            self.descriptor = np.asarray(mean / np.linalg.norm(mean), dtype=np.float32)
        self.seen_s, self.lost_s = time_s, None

    def _predict_shift(self, time_s: float) -> complex:
        return self.speed * DAMPING_S * _gain(time_s - self.seen_s, DAMPING_S)


def linear_assignment(costs: NDArray[np.float64], *, max_cost: float) -> list[tuple[int, int]]:
    """Assign rows to columns so that the sum of all costs is smallest.

    Args:
        costs: (n, m), 0 or more; infinite where a pair is forbidden.
        max_cost: Cost of a row without a column: no pair costs more.

    Returns:
        (row, column) of each pair, by row. No row and no column is in two pairs.

    Example:
        >>> linear_assignment(np.array([[1.0, 2.0], [1.5, 9.0]]), max_cost=5.0)
        [(0, 1), (1, 0)]

    Source:
        Kuhn 1955, "The Hungarian method for the assignment problem",
        https://doi.org/10.1002/nav.3800020109; with shortest augmenting paths: Jonker and
        Volgenant 1987, https://doi.org/10.1007/BF02278710.
    """
    rows, columns = costs.shape
    # Each row may also take a dummy column of its own, which stands for no column.
    dummies = np.where(np.eye(rows, dtype=bool), max_cost, np.inf)
    owners = _assign_columns(np.concatenate([costs, dummies], axis=1))[:columns]
    return sorted((int(row), column) for column, row in enumerate(owners) if row >= 0)


def _assign_columns(costs: NDArray[np.float64]) -> NDArray[np.intp]:
    """Row assigned to each column, or -1; every row has one column."""
    rows, columns = costs.shape
    owner = np.full(columns, -1, dtype=np.intp)
    row_price, column_price = np.zeros(rows), np.zeros(columns)
    for start in range(rows):
        row, column = start, -1
        distance = np.full(columns, np.inf)
        previous = np.full(columns, -1, dtype=np.intp)
        done = np.zeros(columns, dtype=bool)
        reached = 0.0
        while True:
            reduced = reached + costs[row] - row_price[row] - column_price
            shorter = ~done & (reduced < distance)
            distance[shorter] = reduced[shorter]
            previous[shorter] = column
            column = int(np.argmin(np.where(done, np.inf, distance)))
            reached = float(distance[column])
            done[column] = True
            if owner[column] < 0:
                break
            row = int(owner[column])
        # Prices keep every reduced cost at 0 or more, for the next row's search.
        passed = done & (owner >= 0)
        row_price[owner[passed]] += reached - distance[passed]
        row_price[start] += reached
        column_price[passed] -= reached - distance[passed]
        while previous[column] >= 0:
            owner[column] = owner[previous[column]]
            column = int(previous[column])
        owner[column] = start
    return owner


def _center(box: Box) -> complex:
    return complex(*box.center)


def _side(box: Box) -> float:
    return math.sqrt(box.width * box.height)


def _gain(gap_s: float, constant_s: float) -> float:
    """Weight of a new value in an exponential average, after any gap."""
    return 1 - math.exp(-gap_s / constant_s)


def _interpolate(one: Box, other: Box, fraction: float) -> Box:
    return Box(
        one.left + (other.left - one.left) * fraction,
        one.top + (other.top - one.top) * fraction,
        one.right + (other.right - one.right) * fraction,
        one.bottom + (other.bottom - one.bottom) * fraction,
    )


def _distance_to_segment(point: complex, end: complex) -> float:
    """Distance of a point from the segment between 0 and `end`."""
    length = abs(end)
    if length == 0:
        return abs(point)
    along = (point * end.conjugate()).real / length**2
    return abs(point - end * min(1.0, max(0.0, along)))
