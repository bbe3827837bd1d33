"""Faces through a video: found from time to time, followed in between."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from emopy.errors import InputError
from emopy.faces.detect import Detector, largest_first
from emopy.faces.tracker import Expected, Tracker
from emopy.types import Box, Face, RGBImage

SAME_FACE = 0.5
APART = 0.3
"""Overlap (intersection over union) from which two boxes are one face, and below which two."""

UNCONFIRMED_S = 1.0
"""How long somebody is followed whom the searches miss."""


@runtime_checkable
class Refiner(Detector, Protocol):
    """A detector that can find a face again without searching the whole image."""

    def refine(self, image: RGBImage, boxes: Sequence[Box]) -> tuple[Face | None, ...]:
        """Find faces again near where they should be.

        Args:
            image: (H, W, 3) uint8, red first.
            boxes: Where faces should be.

        Returns:
            What each box led to, in the order of the boxes; each face once.
        """
        ...


class TrackingDetector:
    """Find the faces of one video, frame by frame, and number the people.

    A search of the whole image is dear, looking for a face where it should be is cheap. With a
    detector that can do both (`MTCNN`) the image is searched every `keyframe_s`, at once after a
    cut, and at once when somebody is lost; in between each person is looked for where the tracker
    expects the face. Other detectors search every frame.

    Somebody who appears between two searches is found by the next: up to `keyframe_s` later. Who is
    hidden or missed for a moment is looked for at the expected place in every frame. But whom the
    searches do not find for a second is not followed any more: it may never have been a face.

    Args:
        detector: Takes an RGB image, returns its faces.
        keyframe_s: Seconds between searches of the whole image; 0 searches every frame.
        tracker: Numbers the people; None takes a new `Tracker`.

    Raises:
        InputError: `keyframe_s` is negative or not a number.

    Example:
        >>> import numpy as np
        >>> from emopy.faces import FullImage
        >>> follow = TrackingDetector(FullImage())
        >>> image = np.zeros((48, 48, 3), np.uint8)
        >>> [follow(image, time_s)[0].track for time_s in (0.0, 0.04, 0.08)]
        [1, 1, 1]
    """

    def __init__(
        self, detector: Detector, *, keyframe_s: float = 0.2, tracker: Tracker | None = None
    ) -> None:
        if not 0 <= keyframe_s < math.inf:
            raise InputError(
                f"`keyframe_s` must be 0 or more seconds. Received {keyframe_s}. "
                "Type for example: 0.2"
            )
        self.detector = detector
        self.keyframe_s = keyframe_s
        self.tracker = Tracker() if tracker is None else tracker
        self._searched_s = -math.inf
        self._shot = 0
        self._missed_s: dict[int, float] = {}

    def __call__(self, image: RGBImage, time_s: float) -> tuple[Face, ...]:
        """Find and number the faces of the next frame.

        Args:
            image: (H, W, 3) uint8, red first.
            time_s: Time of the frame in seconds, not before that of the last frame.

        Returns:
            Faces, largest first, each with its `track`.

        Raises:
            InputError: `time_s` is not a finite number.
        """
        people = self.tracker.expect(time_s, image)
        if not isinstance(self.detector, Refiner) or self.keyframe_s == 0:
            return largest_first(self.tracker.update(self.detector(image), time_s, image))
        expected = [
            person
            for person in people
            if time_s - self._missed_s.get(person.track, time_s) <= UNCONFIRMED_S
        ]
        followed = self.detector.refine(image, [person.box for person in expected])
        if not self._must_search(expected, followed, time_s):
            faces = [face for face in followed if face is not None]
            return largest_first(self.tracker.update(faces, time_s, image))
        found = self.detector(image)
        faces, confirmed = _merged(found, followed)
        numbered = self.tracker.update(faces, time_s, image)
        self._searched_s, self._shot = time_s, self.tracker.shot
        sure = {face.track for face in numbered[:confirmed]}
        self._missed_s = {
            person.track: self._missed_s.get(person.track, time_s)
            for person in people
            if person.track not in sure
        }
        return largest_first(numbered)

    def _must_search(
        self, expected: Sequence[Expected], followed: Sequence[Face | None], time_s: float
    ) -> bool:
        lost = any(
            face is None and person.lost_s is None
            for person, face in zip(expected, followed, strict=True)
        )
        due = time_s - self._searched_s >= self.keyframe_s
        return lost or due or self.tracker.shot != self._shot


def _merged(found: Sequence[Face], followed: Sequence[Face | None]) -> tuple[list[Face], int]:
    """Faces of a search and faces that were followed, each person once.

    Whoever is found by both stays where the following has the face: to change from one to the
    other would make it jump. Who is followed and not found, with a tilted head say, stays too.

    Returns:
        The faces, and how many of them, the first ones, the search found.
    """
    sure: list[Face] = []
    unsure: list[Face] = []
    rest = list(found)
    for face in followed:
        if face is None:
            continue
        overlaps = [_overlap(face.box, other.box) for other in rest]
        if overlaps and max(overlaps) >= SAME_FACE:
            sure.append(face)
            rest.pop(int(np.argmax(overlaps)))
        else:
            unsure.append(face)
    faces = [*sure, *rest]
    apart = [
        face for face in unsure if all(_overlap(face.box, other.box) < APART for other in faces)
    ]
    return [*faces, *apart], len(faces)


def _overlap(one: Box, other: Box) -> float:
    """Shared area of two boxes, as a share of the area of both."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    shared = max(0.0, width) * max(0.0, height)
    return shared / (one.width * one.height + other.width * other.height - shared)
