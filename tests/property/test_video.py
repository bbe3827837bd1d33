"""Summaries and time bins of any video."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from emopy.labels import ALL_EMOTIONS
from emopy.present import summary_text
from emopy.types import Box, Face, FacePrediction, ImageResult, Prediction
from emopy.video import Summary, TimeBins

TEXT = st.text(st.characters(), max_size=12)


@st.composite
def videos(draw):
    """Frames in the order of time, with tracks that come and go."""
    names = draw(st.permutations(ALL_EMOTIONS))
    labels = tuple(names[: draw(st.integers(2, 8))])
    source = draw(TEXT)
    steps = draw(st.lists(st.floats(0, 5) | st.just(0.04), max_size=12))
    times = np.cumsum([draw(st.floats(0, 1e5)), *steps]).tolist()
    return labels, [_frame(draw, labels, source, t, i) for i, t in enumerate(times)]


def _frame(draw, labels, source, time_s, number):
    faces = []
    for track in draw(st.lists(st.integers(1, 5), unique=True, max_size=3)):
        count = len(labels)
        weights = np.array(draw(st.lists(st.floats(0, 1), min_size=count, max_size=count))) + 1e-6
        probabilities = (weights / weights.sum()).astype(np.float32)
        prediction = Prediction(labels, probabilities, draw(st.floats(0, 1)))
        faces.append(FacePrediction(Face(Box(0, 0, 9, 9), track=track), prediction))
    return ImageResult(source, (640, 480), tuple(faces), time_s, number)


@given(videos(), st.sampled_from([0.0, 0.25, 3.0]))
def test_a_summary_agrees_with_itself_and_with_the_time_bins(video, min_episode_s):
    labels, results = video
    summary, bins = Summary(labels, min_episode_s=min_episode_s), TimeBins()
    for result in results:
        summary.add(result)
        bins.add(result)
    seen = {face.face.track for result in results for face in result.faces}
    assert {track.track for track in summary.tracks} == seen
    assert set(bins.seen_s) == seen
    for track in summary.tracks:
        assert abs(sum(track.proportions.values()) + track.not_sure - 1) < 1e-6
        assert abs(sum(track.mean_probabilities.values()) - 1) < 1e-4
        assert track.seen_s <= track.last_s - track.first_s + 1e-6
        assert abs(track.seen_s - bins.seen_s[track.track]) < 1e-6
        assert track.seen_s <= summary.seconds + 1e-6
        episodes = track.episodes
        assert episodes[0].start_s == track.first_s
        assert abs(episodes[-1].end_s - track.last_s) < 1e-6
        assert all(a.end_s <= b.start_s + 1e-6 for a, b in itertools.pairwise(episodes))
        for curve in bins.curves(track.track):
            assert (np.diff(curve.times_s) >= 0).all()
            assert np.allclose(curve.probabilities.sum(axis=1), 1, atol=1e-5)
    assert summary_text(summary, width=80).count("\n  track ") == len(seen)
