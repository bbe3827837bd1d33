import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emopy.errors import InputError
from emopy.pipeline import Smoother
from emopy.types import Prediction

LABELS = ("anger", "happiness", "neutral")


def shown(*shares: float) -> Prediction:
    return Prediction(LABELS, np.array(shares, np.float32), min_confidence=0.4)


def test_the_first_prediction_of_a_track_stays_as_it_is():
    steady = Smoother(0.3)(shown(0.2, 0.7, 0.1), 1, 0.0)
    np.testing.assert_allclose(steady.probabilities, [0.2, 0.7, 0.1], rtol=1e-6)
    assert steady.min_confidence == 0.4


def test_after_the_time_constant_a_change_of_logits_is_63_percent_through():
    smooth = Smoother(0.5)
    smooth(shown(0.8, 0.1, 0.1), 1, 0.0)
    steady = smooth(shown(0.1, 0.8, 0.1), 1, 0.5).probabilities
    before, after = np.log(0.8 / 0.1), np.log(0.1 / 0.8)
    share = (np.log(steady[0] / steady[1]) - before) / (after - before)
    assert share == pytest.approx(1 - np.exp(-1), abs=1e-4)


def test_the_effect_depends_on_time_and_not_on_the_frame_rate():
    ends = []
    for steps in (1, 5, 50):
        smooth = Smoother(0.3)
        smooth(shown(0.8, 0.1, 0.1), 1, 0.0)
        for step in range(1, steps + 1):
            steady = smooth(shown(0.1, 0.7, 0.2), 1, step / steps)
        ends.append(steady.probabilities)
    np.testing.assert_allclose(ends[1], ends[0], atol=1e-5)
    np.testing.assert_allclose(ends[2], ends[0], atol=1e-5)


def test_a_single_odd_frame_does_not_change_the_answer():
    smooth = Smoother(0.3)
    answers = [
        smooth(shown(0.9, 0.05, 0.05) if frame == 10 else shown(0.1, 0.8, 0.1), 1, frame / 25)
        for frame in range(20)
    ]
    assert {answer.emotion for answer in answers} == {"happiness"}


def test_tracks_do_not_mix_and_faces_without_a_track_stay_raw():
    smooth = Smoother(1.0)
    smooth(shown(0.9, 0.05, 0.05), 1, 0.0)
    for track in (2, None):
        steady = smooth(shown(0.1, 0.8, 0.1), track, 0.04)
        np.testing.assert_allclose(steady.probabilities, [0.1, 0.8, 0.1], rtol=1e-5)


def test_zero_is_off():
    raw = shown(0.2, 0.7, 0.1)
    smooth = Smoother(0)
    smooth(shown(0.9, 0.05, 0.05), 1, 0.0)
    assert smooth(raw, 1, 0.01) is raw


def test_after_a_long_gap_the_past_counts_for_nothing():
    smooth = Smoother(0.3)
    smooth(shown(0.98, 0.01, 0.01), 1, 0.0)
    np.testing.assert_allclose(
        smooth(shown(0.1, 0.8, 0.1), 1, 60.0).probabilities, [0.1, 0.8, 0.1], atol=1e-5
    )


def test_a_forgotten_track_begins_anew():
    smooth = Smoother(100.0)
    smooth(shown(0.98, 0.01, 0.01), 1, 0.0)
    smooth.forget(before_s=1.0)
    np.testing.assert_allclose(
        smooth(shown(0.1, 0.8, 0.1), 1, 1.0).probabilities, [0.1, 0.8, 0.1], rtol=1e-5
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
def test_what_comes_out_is_always_a_distribution(steps, time_constant_s):
    smooth, now = Smoother(time_constant_s), 0.0
    for weights, step in steps:
        total = sum(weights)
        shares = [weight / total for weight in weights] if total > 1e-3 else [1.0, 0.0, 0.0]
        now += step
        steady = smooth(shown(*shares), 1, now).probabilities
        assert np.isfinite(steady).all()
        assert steady.sum() == pytest.approx(1, abs=1e-4)
        # What was ruled out by the user's own shares stays ruled out.
        assert not steady[np.asarray(shares, np.float32) == 0].any()
