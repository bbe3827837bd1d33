"""The measure of tracks in `benchmarks`: by hand, and that the scenes hold what they say."""

import numpy as np
import pytest

from benchmarks.tracking import score
from benchmarks.tracking_scenes import scenes
from emopy.types import Box, Face


def box(place):
    return Box(100.0 * place, 0, 100.0 * place + 50, 50)


def frames(people, tracks, count):
    """Frames in which each person is at the place of its name, with the track given there."""
    truth = [(person, box(person)) for person in people]
    return [(truth, [Face(box(place), track=track) for place, track in tracks.items()])] * count


def test_perfect_tracks_have_an_idf1_of_100():
    result = score(frames([0, 1], {0: 7, 1: 3}, 10))
    assert (result.persons, result.tracks, result.one_frame) == (2, 2, 0)
    assert (result.switches, result.idf1) == (0, 100.0)


def test_a_track_that_breaks_counts_its_longer_part():
    result = score([*frames([0], {0: 1}, 6), *frames([0], {0: 2}, 4)])
    assert (result.tracks, result.switches) == (2, 1)
    assert result.idf1 == pytest.approx(100 * 2 * 6 / (10 + 10))


def test_swapped_tracks_are_two_switches_and_half_of_the_frames():
    result = score([*frames([0, 1], {0: 1, 1: 2}, 5), *frames([0, 1], {0: 2, 1: 1}, 5)])
    assert (result.tracks, result.switches) == (2, 2)
    assert result.idf1 == pytest.approx(50)


def test_missed_faces_and_false_positives_lower_idf1():
    result = score([*frames([0], {0: 1, 4: 9}, 1), *frames([0], {}, 4), *frames([0], {0: 1}, 5)])
    assert (result.persons, result.tracks, result.one_frame, result.switches) == (1, 2, 1, 0)
    assert result.idf1 == pytest.approx(100 * 2 * 6 / (10 + 7))


def test_a_scene_without_faces_and_tracks_is_perfect():
    assert score([((), ())] * 3).idf1 == 100.0
    assert score(frames([], {0: 1}, 3)).idf1 == 0.0


@pytest.mark.parametrize("name", ["turn away", "no face", "cut", "dinner 3, 5 per second"])
def test_a_scene_is_the_same_every_time_and_its_truth_is_in_the_image(name):
    (one,) = [each for each in scenes() if each.name == name]
    first, again = next(one.play()), next(one.play())
    np.testing.assert_array_equal(first[0].image, again[0].image)
    assert first[1] == again[1]
    assert first[0].image.shape == (480, 640, 3)
    for _, seen in first[1]:
        assert 0 <= seen.center[0] <= 640
        assert 0 <= seen.center[1] <= 480
    assert bool(first[1]) is (name != "no face")
