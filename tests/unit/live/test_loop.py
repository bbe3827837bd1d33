import time

import numpy as np
import pytest

from emopy import FERModel
from emopy.live.loop import Arrivals, FPSMeter, watch
from emopy.types import Frame


class Notes:
    """A view that remembers what it was shown, and is stopped after so many frames."""

    def __init__(self, most=100):
        self.shown = []
        self._most = most

    def __enter__(self):
        return self

    def __exit__(self, *error):
        """Nothing is open."""

    @property
    def stopped(self):
        return len(self.shown) >= self._most

    def show(self, image, result, *, delay_s, frames_per_s):
        self.shown.append((image, result, delay_s, frames_per_s))


@pytest.fixture(scope="module")
def model(linear_model):
    return FERModel(model=linear_model, detector="full-image")


def frames(count, closed=None, step_s=0.04):
    """Frames taken at a steady rate, as a camera that nobody keeps waiting."""
    began_s = time.monotonic()
    try:
        for number in range(count):
            time.sleep(max(0.0, began_s + number * step_s - time.monotonic()))
            image = np.full((48, 64, 3), number, dtype=np.uint8)
            yield Frame(image, number * step_s, number)
    finally:
        if closed is not None:
            closed.append(True)


def test_every_frame_is_shown_with_its_own_result(model):
    view = Notes()
    results = list(watch(model, frames(4), view, source="camera 0"))
    assert [result.frame for result in results] == [0, 1, 2, 3]
    assert [image[0, 0, 0] for image, *_ in view.shown] == [0, 1, 2, 3]
    assert [result for _, result, *_ in view.shown] == results
    assert {result.source for result in results} == {"camera 0"}
    assert results[1].faces[0].prediction.labels == model.labels


def test_delay_and_rate_are_told(model):
    view = Notes()
    list(watch(model, frames(12, step_s=0.05), view))
    *_, (_, _, delay_s, rate) = view.shown
    assert 0 < delay_s < 0.5
    assert 5 < rate <= 25


def test_a_stopped_view_ends_it_and_lets_the_frames_go(model):
    view, closed = Notes(most=2), []
    assert len(list(watch(model, frames(50, closed), view))) == 2
    assert closed == [True]


def test_who_stops_early_lets_the_frames_go(model):
    closed = []
    results = watch(model, frames(50, closed), Notes())
    next(results)
    results.close()
    assert closed == [True]


def test_answers_are_steadied_as_asked(model):
    rng = np.random.default_rng(0)
    base = np.kron(rng.integers(60, 180, (1, 6, 6, 3)), np.ones((1, 8, 8, 1)))
    images = (base + rng.integers(-40, 41, (6, 48, 48, 3))).astype(np.uint8)
    film = [Frame(image, 0.04 * i, i) for i, image in enumerate(images)]
    raw = list(watch(model, film, Notes(), smoothing_s=0))
    calm = list(watch(model, film, Notes(), smoothing_s=5.0))
    alone = [model.predict(image) for image in images]

    def spread(results):
        return np.std([result.faces[0].prediction.probabilities for result in results], axis=0)

    assert np.allclose(spread(raw), spread(alone), atol=1e-6)
    assert spread(calm).sum() < 0.5 * spread(raw).sum()


def test_the_delay_counts_from_the_moment_a_frame_was_taken():
    arrivals = Arrivals(frames(3, step_s=0.01))
    first, _, third = arrivals
    assert arrivals.delay_s(first) - arrivals.delay_s(third) == pytest.approx(0.02, abs=0.005)
    time.sleep(0.05)
    assert arrivals.delay_s(third) >= 0.05


def test_a_frame_that_was_late_at_first_does_not_shorten_the_delays_after_it():
    def late():
        now = time.monotonic()
        time.sleep(0.2)  # the first frame was taken long before it was fetched
        yield Frame(np.zeros((2, 2, 3), np.uint8), 0.0, 0)
        yield Frame(np.zeros((2, 2, 3), np.uint8), time.monotonic() - now, 1)

    arrivals = Arrivals(late())
    first, second = arrivals
    assert arrivals.delay_s(first) > 0.19
    assert arrivals.delay_s(second) < 0.1


def test_the_rate_is_that_of_the_last_seconds_and_the_delay_their_mean():
    now = [0.0]
    rhythm = FPSMeter(clock=lambda: now[0])
    assert rhythm.beat(0.5) == (0.5, 0.0)
    for number in range(1, 101):  # ten seconds at 10, then at 20 frames per second
        now[0] = number / 10
        delay_s, rate = rhythm.beat(0.1)
    assert (delay_s, rate) == (pytest.approx(0.1), pytest.approx(10))
    for number in range(1, 101):
        now[0] = 10 + number / 20
        delay_s, rate = rhythm.beat(0.3)
    assert (delay_s, rate) == (pytest.approx(0.3), pytest.approx(20))
