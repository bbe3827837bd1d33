import math

import numpy as np
import pytest

from emopy.errors import InputError
from emopy.faces import FullImage, Tracker, TrackingDetector
from emopy.samples.scenes import Actor, scene
from emopy.types import Box, Face

SIZE = (400, 240)
STAND = ((0.0, 200.0, 120.0, 80.0), (60.0, 200.0, 120.0, 80.0))


class Counting:
    """Counts the calls of a detector."""

    def __init__(self, detector):
        self.detector, self.searched, self.refined = detector, 0, 0

    def __call__(self, image):
        self.searched += 1
        return self.detector(image)

    def refine(self, image, boxes):
        self.refined += 1
        return self.detector.refine(image, boxes)


@pytest.fixture
def detector(mtcnn):
    return Counting(mtcnn)


def frames(*actors, seconds=3.0, fps=25.0):
    """Frames and ground truth, small for speed."""
    return scene(actors, size=SIZE, seconds=seconds, fps=fps)


def near(face, box):
    x, y = box.center
    return math.dist(face.box.center, (x, y)) < 0.4 * box.width


def numbers(detect, played):
    """Track numbers of each actor, in order; only where no other actor is near."""
    had = {}
    for frame, seen in played:
        faces = detect(frame.image, frame.time_s)
        assert len({face.track for face in faces}) == len(faces) <= len(seen)
        for one in seen:
            others = [other for other in seen if other is not one]
            if any(math.dist(one.box.center, other.box.center) < 80 for other in others):
                continue
            for face in faces:
                if near(face, one.box):
                    track = had.setdefault(one.actor, [])
                    if face.track not in track[-1:]:
                        track.append(face.track)
    return had


def test_people_who_cross_keep_their_tracks(detector):
    left = Actor(((0, 60, 120, 80), (3, 340, 125, 80)), ((0, "happiness"),))
    right = Actor(((0, 340, 120, 76), (3, 60, 115, 76)), ((0, "anger"),), light=(0.8, 0.9, 1.0))
    had = numbers(TrackingDetector(detector), frames(left, right))
    assert len(had) == 2
    assert all(len(tracks) == 1 for tracks in had.values())


def test_people_of_equal_size_keep_their_tracks(detector):
    left = Actor(((0, 90, 120, 80), (2, 110, 130, 80)), ((0, "happiness"),), tilt_deg=15)
    right = Actor(((0, 310, 120, 80), (2, 290, 110, 80)), ((0, "happiness"),), tilt_deg=15)
    had = numbers(TrackingDetector(detector), frames(left, right, seconds=2))
    assert all(len(tracks) == 1 for tracks in had.values())


@pytest.mark.parametrize(("away_s", "expected"), [(0.6, [1]), (2.8, [1, 2])])
def test_a_face_that_returns_soon_keeps_its_track(detector, away_s, expected):
    back = 1.0 + away_s
    walk = (
        (0, 200, 120, 80),
        (0.5, 200, 120, 80),
        (1.0, -60, 120, 80),
        (back, -60, 120, 80),
        (back + 0.5, 200, 120, 80),
        (back + 1, 200, 120, 80),
    )
    had = numbers(TrackingDetector(detector), frames(Actor(walk), seconds=back + 1))
    assert had == {0: expected}


def test_a_tilted_head_is_tracked_in_every_frame(detector):
    played = list(frames(Actor(STAND, tilt_deg=38), seconds=2))
    detect = TrackingDetector(detector)
    found = [detect(frame.image, frame.time_s) for frame, _ in played]
    assert [[face.track for face in faces] for faces in found] == [[1]] * len(played)


def test_a_shot_change_starts_new_tracks(detector):
    first = [frame.image for frame, _ in frames(Actor(STAND), seconds=0.3)]
    # The same place and size, in another image.
    played = frames(Actor(STAND, ((0, "anger"),)), seconds=0.3)
    second = [np.ascontiguousarray(frame.image[:, ::-1]) for frame, _ in played]
    detect = TrackingDetector(detector, keyframe_s=100)
    found = [detect(image, i / 25) for i, image in enumerate([*first, *second])]
    half = len(first)
    assert [[face.track for face in faces] for faces in found[:half]] == [[1]] * half
    assert [[face.track for face in faces] for faces in found[half:]] == [[2]] * half
    assert detector.searched == 2


def test_black_frames_have_no_face_and_end_no_track(detector):
    detect = TrackingDetector(detector)
    found = []
    for frame, _ in frames(Actor(STAND), seconds=1.2):
        dark = 0.4 <= frame.time_s < 0.7
        found.append(detect(frame.image * 0 if dark else frame.image, frame.time_s))
    assert [len(faces) for faces in found].count(0) == 8
    assert {face.track for faces in found for face in faces} == {1}


def test_frames_may_come_at_any_rate(detector):
    walk = Actor(((0, 100, 120, 80), (4, 300, 120, 80)), tilt_deg=10)
    played = list(frames(walk, seconds=4))
    rng = np.random.default_rng(0)
    chosen = sorted(rng.choice(len(played), 40, replace=False))
    assert numbers(TrackingDetector(detector), [played[i] for i in chosen]) == {0: [1]}
    assert numbers(TrackingDetector(detector), played[::25]) == {0: [1]}


def test_the_image_is_searched_on_keyframes_and_faces_are_refined_in_between(detector):
    detect = TrackingDetector(detector, keyframe_s=0.5)
    for frame, seen in frames(Actor(STAND), seconds=2):
        (face,) = detect(frame.image, frame.time_s)
        assert near(face, seen[0].box)
    assert detector.searched == 4


def test_a_lost_face_starts_a_search_at_once(detector):
    jump = Actor(((0, 100, 120, 80), (0.5, 100, 120, 80), (0.52, 300, 120, 80), (1, 300, 120, 80)))
    detect = TrackingDetector(detector, keyframe_s=100)
    for frame, seen in frames(jump, seconds=1):
        (face,) = detect(frame.image, frame.time_s)
        assert near(face, seen[0].box)
    assert detector.searched == 2


def test_a_new_face_is_detected_within_the_interval(detector):
    new = Actor(((0.5, 320, 120, 70), (2, 320, 120, 70)), ((0, "fear"),))
    known = Actor(((0, 100, 120, 70), (2, 110, 120, 70)))
    detect = TrackingDetector(detector, keyframe_s=0.2)
    found = [
        (frame.time_s, len(detect(frame.image, frame.time_s)))
        for frame, _ in frames(known, new, seconds=1)
    ]
    first = next(time_s for time_s, faces in found if faces == 2)
    assert 0.5 <= first <= 0.72
    assert all(faces == 2 for time_s, faces in found if time_s >= first)


def test_long_refining_does_not_drift(detector):
    played = list(frames(Actor(STAND), seconds=2))
    detect = TrackingDetector(detector, keyframe_s=1000)
    (start,) = detect(played[0][0].image, 0.0)
    for i in range(1, 300):
        (face,) = detect(played[i % len(played)][0].image, i / 25)
    assert detector.searched == 1
    np.testing.assert_allclose(face.landmarks, start.landmarks, atol=3)


class DetectedOnce:
    """Detects a face in the first search only; refining always finds it."""

    def __init__(self):
        self.searches = 0

    def __call__(self, image):
        self.searches += 1
        return (Face(Box(40, 40, 80, 90)),) if self.searches == 1 else ()

    def refine(self, image, boxes):
        return tuple(Face(box) for box in boxes)


def test_a_face_that_searches_miss_is_dropped_after_a_second():
    detect = TrackingDetector(DetectedOnce(), keyframe_s=0.2)
    image = np.zeros((120, 160, 3), np.uint8)
    times = [i / 25 for i in range(100)]
    there = [time_s for time_s in times if detect(image, time_s)]
    assert there == times[: len(there)]
    assert 1.1 < there[-1] < 1.4


def test_a_detector_that_cannot_refine_searches_every_frame():
    calls = []

    def search(image):
        calls.append(image)
        return (Face(Box(10, 10, 30, 30)), Face(Box(50, 10, 90, 50)))

    detect = TrackingDetector(search)
    for i in range(5):
        faces = detect(np.zeros((60, 100, 3), np.uint8), i / 25)
        assert [face.track for face in faces] == [2, 1]  # largest first
    assert len(calls) == 5


def test_an_interval_of_0_searches_every_frame(detector):
    detect = TrackingDetector(detector, keyframe_s=0)
    for frame, _ in frames(Actor(STAND), seconds=0.2):
        detect(frame.image, frame.time_s)
    assert (detector.searched, detector.refined) == (5, 0)


def test_a_video_without_faces_is_not_searched_in_every_frame(detector):
    detect = TrackingDetector(detector, keyframe_s=0.2)
    for i in range(20):
        assert detect(np.full((120, 160, 3), 90, np.uint8), i / 25) == ()
    assert detector.searched == 4


def test_a_tracker_may_be_given(detector):
    tracker = Tracker(keep_s=0.1)
    detect = TrackingDetector(FullImage(), tracker=tracker)
    detect(np.zeros((48, 48, 3), np.uint8), 0.0)
    assert [box.track for box in tracker.predict_boxes(0.0)] == [1]


@pytest.mark.parametrize("keyframe_s", [-0.1, math.nan, math.inf])
def test_the_interval_must_be_a_time(keyframe_s):
    with pytest.raises(InputError, match=r"`keyframe_s` must be .* Received"):
        TrackingDetector(FullImage(), keyframe_s=keyframe_s)
