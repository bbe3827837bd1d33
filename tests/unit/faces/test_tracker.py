import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from emopy.errors import InputError
from emopy.faces import Tracker
from emopy.faces.tracker import linear_assignment
from emopy.types import Box, Face


def face(x, y=100.0, side=40.0):
    return Face(Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2))


def tracks(faces):
    return [face.track or 0 for face in faces]


def numbers(tracker, frames):
    """Numbers given to the faces of (time_s, faces) one after the other."""
    return [tracks(tracker.update(faces, time_s)) for time_s, faces in frames]


boxes = st.builds(
    face, st.floats(-50, 700), st.floats(-50, 500), st.floats(8, 300, exclude_min=True)
)
videos = st.lists(st.tuples(st.floats(0, 3), st.lists(boxes, max_size=6)), min_size=1, max_size=12)


@settings(max_examples=150, deadline=None)
@given(videos)
@example([(0.0, [face(100)]), (5e-323, [face(110)]), (0.04, [face(110)])])
def test_numbers_are_unique_in_a_frame_and_faces_keep_their_order(video):
    tracker, time_s, largest = Tracker(), 0.0, 0
    for step_s, faces in video:
        time_s += step_s
        numbered = tracker.update(faces, time_s)
        assert [face.box for face in numbered] == [face.box for face in faces]
        given_now = tracks(numbered)
        assert len(set(given_now)) == len(given_now)
        # A new face gets the next number, not one that was used before.
        for track in sorted(track for track in given_now if track > largest):
            assert track == largest + 1
            largest = track
        assert {box.track for box in tracker.predict_boxes(time_s)} >= set(given_now)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0.005, 0.5), min_size=5, max_size=40),
    st.integers(2, 5),
    st.randoms(use_true_random=False),
)
def test_people_far_apart_keep_their_tracks_at_any_rate_and_in_any_order(steps_s, people, random):
    tracker, time_s, known = Tracker(), 0.0, {}
    for step_s in steps_s:
        time_s += step_s
        order = random.sample(range(people), people)
        places = [200 * i + 30 * math.sin(2 * time_s + i) + random.uniform(-2, 2) for i in order]
        numbered = tracker.update([face(x) for x in places], time_s)
        for i, track in zip(order, tracks(numbered), strict=True):
            assert known.setdefault(i, track) == track


@pytest.mark.parametrize("step_s", [1 / 60, 1 / 25, 1 / 5, 1.0])
def test_a_moving_face_is_one_track_at_any_frame_rate(step_s):
    frames = [(i * step_s, [face(100 + 60 * i * step_s)]) for i in range(12)]
    assert numbers(Tracker(), frames) == [[1]] * 12


def test_a_long_step_between_frames_does_not_end_a_track():
    assert numbers(Tracker(keep_s=1), [(5 * i, [face(100)]) for i in range(4)]) == [[1]] * 4


@pytest.mark.parametrize(("gap_s", "expected"), [(0.2, 1), (1.8, 1), (2.3, 2)])
def test_a_track_survives_a_short_gap_and_not_a_long_one(gap_s, expected):
    tracker = Tracker()
    for i in range(25):
        tracker.update([face(100 + i)], i / 25)
    missing = np.arange(1, 1 + gap_s, 0.04)
    for time_s in missing:
        tracker.update([], float(time_s))
    (again,) = tracker.update([face(130)], float(missing[-1]) + 0.04)
    assert again.track == expected


def test_two_people_who_cross_keep_their_tracks():
    tracker, found = Tracker(), []
    for i in range(60):
        left, right = 60 + 6 * i, 420 - 6 * i
        hidden = abs(left - right) < 30
        found.append(tracks(tracker.update([face(left)] + [face(right)] * (not hidden), i / 25)))
    assert found[0] == found[-1] == [1, 2]
    assert [1] in found


@pytest.mark.parametrize("crossing", [True, False], ids=["cross", "turn back"])
def test_appearance_decides_after_both_faces_were_hidden(crossing):
    rng = np.random.default_rng(3)
    faces_pixels = [np.kron(rng.integers(0, 256, (5, 5, 1)), np.ones((8, 8, 3))) for _ in range(2)]
    tracker, found = Tracker(), []
    for i in range(80):
        away = 3 * abs(40 - i)
        places = [200 - away, 200 + away]
        swapped = crossing and i > 40
        image = np.full((200, 400, 3), 90, np.uint8)
        for x, pixels in zip(places, faces_pixels[::-1] if swapped else faces_pixels, strict=True):
            image[80:120, x - 20 : x + 20] = pixels
        faces = [] if away < 24 else [face(x) for x in places]
        found = tracks(tracker.update(faces, i / 25, image))
    assert found == ([2, 1] if crossing else [1, 2])


def test_a_step_too_short_to_measure_a_speed_changes_no_box():
    tracker = Tracker()
    for time_s, x in ((0.0, 100), (5e-323, 110), (1e-9, 110)):
        assert tracks(tracker.update([face(x)], time_s)) == [1]
        (box,) = tracker.predict_boxes(time_s)
        assert box.box == face(100).box
    assert tracks(tracker.update([face(110)], 0.04)) == [1]
    (box,) = tracker.predict_boxes(0.05)
    assert 100 < box.box.center[0] < 130


@pytest.mark.parametrize(("moved", "expected"), [(0, 1), (20, 1), (60, 2)])
def test_a_face_that_looks_different_continues_a_lost_track_near_its_place_only(moved, expected):
    rng = np.random.default_rng(5)
    tracker = Tracker()

    def show(time_s, x, pixels):
        image = np.full((200, 400, 3), 90, np.uint8)
        image[80:120, x - 20 : x + 20] = pixels
        return tracks(tracker.update([face(x)], time_s, image))

    one, other = (np.kron(rng.integers(0, 256, (5, 5, 1)), np.ones((8, 8, 3))) for _ in range(2))
    for i in range(10):
        assert show(i / 25, 150, one) == [1]
    for i in range(10, 20):
        tracker.update([], i / 25)
    assert show(0.8, 150 + moved, other) == [expected]


def test_a_false_positive_does_not_change_other_tracks():
    frames = [(i / 25, [face(100), face(200)]) for i in range(10)]
    frames[5][1].insert(0, face(150, 110, 30))
    frames[6] = (6 / 25, [face(152, 110, 30), face(200)])
    given_numbers = numbers(Tracker(), frames)
    assert given_numbers[4] == given_numbers[7] == given_numbers[-1] == [1, 2]
    assert given_numbers[5] == [3, 1, 2]


def test_a_face_of_another_size_in_the_same_place_is_a_new_track():
    assert numbers(Tracker(), [(0, [face(100)]), (0.04, [face(100, side=80)])]) == [[1], [2]]


def test_ended_tracks_are_forgotten():
    tracker = Tracker()
    for i in range(2000):
        tracker.update([face(100 + 900 * (i % 7), side=20 + 15 * (i % 5))], i / 25)
        assert len(tracker.predict_boxes(i / 25)) <= 52
    assert len(tracker.predict_boxes(1e4)) == 1  # the last one, which was never missed


def test_a_shot_change_ends_all_tracks_and_black_frames_do_not():
    rng = np.random.default_rng(0)
    one, other = (
        np.kron(rng.integers(0, 256, (12, 16, 1)), np.ones((20, 20, 3))).astype(np.uint8)
        for _ in range(2)
    )
    black = np.zeros_like(one)
    tracker = Tracker()
    shown = [([face(100)], one), ([], black), ([face(100)], one), ([face(100)], other)]
    found = [tracks(tracker.update(faces, i / 25, image)) for i, (faces, image) in enumerate(shown)]
    assert found == [[1], [], [1], [2]]
    assert tracker.shot == 2


def test_a_time_before_the_last_one_ends_all_tracks():
    tracker = Tracker()
    assert numbers(tracker, [(4.0, [face(100)]), (0.0, [face(100)])]) == [[1], [2]]
    assert tracker.shot == 2


def test_boxes_are_predicted_where_the_faces_move_to():
    tracker = Tracker()
    for i in range(25):
        tracker.update([face(100 + 4 * i)], i / 25)
    (box,) = tracker.predict_boxes(1.0)
    assert box.box.center[0] == pytest.approx(200, abs=3)
    assert box.lost_s is None
    tracker.update([], 1.0)
    (box,) = tracker.predict_boxes(1.4)
    assert 220 < box.box.center[0] < 240
    assert box.lost_s == 1.0


@pytest.mark.parametrize("time_s", [math.nan, math.inf])
def test_a_time_must_be_a_number(time_s):
    with pytest.raises(InputError, match="`time_s` must be"):
        Tracker().update([], time_s)


@pytest.mark.parametrize("keep_s", [-1, math.nan, math.inf])
def test_the_gap_must_be_a_time(keep_s):
    with pytest.raises(InputError, match=r"`keep_s` must be .* Received"):
        Tracker(keep_s=keep_s)


COSTS = st.sampled_from([0.0, 0.5, 1.0, 1.5, 2.5, 7.0, float("inf")])
MAX_COST = 3.0


def total(costs, pairs):
    return sum(costs[pair] for pair in pairs) + MAX_COST * (len(costs) - len(pairs))


def smallest_cost(costs):
    """Try every assignment; a column of -1 is none."""
    rows, columns = costs.shape
    assignments = permutations([*range(columns), *[-1] * rows], rows)
    return min(
        total(costs, [(r, c) for r, c in enumerate(columns) if c >= 0]) for columns in assignments
    )


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 3), st.integers(0, 4), st.data())
def test_no_assignment_costs_less(rows, columns, data):
    values = data.draw(st.lists(COSTS, min_size=rows * columns, max_size=rows * columns))
    costs = np.array(values, dtype=np.float64).reshape(rows, columns)
    pairs = linear_assignment(costs, max_cost=MAX_COST)
    assert pairs == sorted(pairs)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    assert total(costs, pairs) == pytest.approx(smallest_cost(costs))


def test_the_sum_of_costs_decides():
    costs = np.array([[0.0, 1.0], [0.5, 9.0]])
    assert linear_assignment(costs, max_cost=20.0) == [(0, 1), (1, 0)]


def test_forbidden_and_expensive_pairs_are_not_made():
    costs = np.array([[np.inf, np.inf], [4.0, 2.0]])
    assert linear_assignment(costs, max_cost=3.0) == [(1, 1)]
