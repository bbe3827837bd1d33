import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emopy.errors import InputError
from emopy.pipeline import Smoother
from emopy.types import Prediction

LABELS = ("anger", "happiness", "neutral")


def prediction(*probabilities: float) -> Prediction:
    return Prediction(LABELS, np.array(probabilities, np.float32), min_confidence=0.4)


def test_the_first_prediction_of_a_track_is_unchanged():
    smoothed = Smoother(0.3)(prediction(0.2, 0.7, 0.1), 1, 0.0)
    np.testing.assert_allclose(smoothed.probabilities, [0.2, 0.7, 0.1], rtol=1e-6)
    assert smoothed.min_confidence == 0.4


def test_after_the_time_constant_63_percent_of_a_change_is_through():
    smooth = Smoother(0.5)
    smooth(prediction(0.8, 0.1, 0.1), 1, 0.0)
    smoothed = smooth(prediction(0.1, 0.8, 0.1), 1, 0.5).probabilities
    before, after = np.log(0.8 / 0.1), np.log(0.1 / 0.8)
    fraction = (np.log(smoothed[0] / smoothed[1]) - before) / (after - before)
    assert fraction == pytest.approx(1 - np.exp(-1), abs=1e-4)


def test_the_effect_depends_on_time_and_not_on_the_frame_rate():
    ends = []
    for steps in (1, 5, 50):
        smooth = Smoother(0.3)
        smooth(prediction(0.8, 0.1, 0.1), 1, 0.0)
        for step in range(1, steps + 1):
            smoothed = smooth(prediction(0.1, 0.7, 0.2), 1, step / steps)
        ends.append(smoothed.probabilities)
    np.testing.assert_allclose(ends[1], ends[0], atol=1e-5)
    np.testing.assert_allclose(ends[2], ends[0], atol=1e-5)


def test_a_single_wrong_frame_does_not_change_the_label():
    smooth = Smoother(0.3)
    answers = [
        smooth(
            prediction(0.9, 0.05, 0.05) if frame == 10 else prediction(0.1, 0.8, 0.1), 1, frame / 25
        )
        for frame in range(20)
    ]
    assert {answer.emotion for answer in answers} == {"happiness"}


def test_tracks_are_separate_and_faces_without_a_track_are_unchanged():
    smooth = Smoother(1.0)
    smooth(prediction(0.9, 0.05, 0.05), 1, 0.0)
    for track in (2, None):
        smoothed = smooth(prediction(0.1, 0.8, 0.1), track, 0.04)
        np.testing.assert_allclose(smoothed.probabilities, [0.1, 0.8, 0.1], rtol=1e-5)


def test_a_time_constant_of_0_turns_smoothing_off():
    raw = prediction(0.2, 0.7, 0.1)
    smooth = Smoother(0)
    smooth(prediction(0.9, 0.05, 0.05), 1, 0.0)
    assert smooth(raw, 1, 0.01) is raw


def test_after_a_long_gap_the_past_has_no_weight():
    smooth = Smoother(0.3)
    smooth(prediction(0.98, 0.01, 0.01), 1, 0.0)
    np.testing.assert_allclose(
        smooth(prediction(0.1, 0.8, 0.1), 1, 60.0).probabilities, [0.1, 0.8, 0.1], atol=1e-5
    )


def test_a_forgotten_track_starts_again():
    smooth = Smoother(100.0)
    smooth(prediction(0.98, 0.01, 0.01), 1, 0.0)
    smooth.forget(before_s=1.0)
    np.testing.assert_allclose(
        smooth(prediction(0.1, 0.8, 0.1), 1, 1.0).probabilities, [0.1, 0.8, 0.1], rtol=1e-5
    )


@pytest.mark.parametrize("seconds", [-0.1, float("nan"), float("inf")])
def test_a_bad_time_constant_is_refused(seconds):
    with pytest.raises(InputError, match="`smoothing_s` must be a time of 0 or more"):
        Smoother(seconds)


@given(
    st.lists(
        st.tuples(st.lists(st.floats(0, 1), min_size=3, max_size=3), st.floats(0, 0.5)), max_size=30
    ),
    st.floats(0, 2),
)
def test_smoothed_probabilities_are_a_distribution(steps, time_constant_s):
    smooth, now = Smoother(time_constant_s), 0.0
    for weights, step in steps:
        total = sum(weights)
        probabilities = [weight / total for weight in weights] if total > 1e-3 else [1.0, 0.0, 0.0]
        now += step
        smoothed = smooth(prediction(*probabilities), 1, now).probabilities
        assert np.isfinite(smoothed).all()
        assert smoothed.sum() == pytest.approx(1, abs=1e-4)
        # A probability of 0, such as from a prior of 0, stays 0.
        assert not smoothed[np.asarray(probabilities, np.float32) == 0].any()
