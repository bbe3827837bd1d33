import time

import numpy as np
import pytest

from emopy import FERModel
from emopy.cli.webcam import VIEWS as OPTION_VALUES
from emopy.errors import InputError
from emopy.live import Page, Terminal, Window, has_windows, open_view, show_live
from emopy.live.views import VIEWS, FPSMeter, LatencyClock
from emopy.types import Frame


class RecordingView:
    """A view that records what it is shown, and stops after a number of frames."""

    def __init__(self, max_frames=100):
        self.shown = []
        self._max_frames = max_frames

    def __enter__(self):
        return self

    def __exit__(self, *error):
        """Nothing is open."""

    @property
    def stopped(self):
        return len(self.shown) >= self._max_frames

    def show(self, image, result, *, latency_s, fps):
        self.shown.append((image, result, latency_s, fps))


@pytest.fixture(scope="module")
def model(linear_model):
    return FERModel(model=linear_model, detector="full-image")


def frames(count, closed=None, step_s=0.04):
    """Frames captured at a constant rate, like a camera whose frames are fetched in time."""
    started_s = time.monotonic()
    try:
        for number in range(count):
            time.sleep(max(0.0, started_s + number * step_s - time.monotonic()))
            image = np.full((48, 64, 3), number, dtype=np.uint8)
            yield Frame(image, number * step_s, number)
    finally:
        if closed is not None:
            closed.append(True)


def test_every_frame_is_shown_with_its_own_result(model):
    view = RecordingView()
    results = list(show_live(model, frames(4), view, source="camera 0"))
    assert [result.frame for result in results] == [0, 1, 2, 3]
    assert [image[0, 0, 0] for image, *_ in view.shown] == [0, 1, 2, 3]
    assert [result for _, result, *_ in view.shown] == results
    assert {result.source for result in results} == {"camera 0"}
    assert results[1].faces[0].prediction.labels == model.labels


def test_latency_and_frame_rate_are_shown(model):
    view = RecordingView()
    list(show_live(model, frames(12, step_s=0.05), view))
    *_, (_, _, latency_s, fps) = view.shown
    assert 0 < latency_s < 0.5
    assert 5 < fps <= 25


def test_a_stopped_view_ends_the_loop_and_closes_the_frames(model):
    view, closed = RecordingView(max_frames=2), []
    assert len(list(show_live(model, frames(50, closed), view))) == 2
    assert closed == [True]


def test_closing_the_results_closes_the_frames(model):
    closed = []
    results = show_live(model, frames(50, closed), RecordingView())
    next(results)
    results.close()
    assert closed == [True]


def test_probabilities_are_smoothed_as_requested(model):
    rng = np.random.default_rng(0)
    base = np.kron(rng.integers(60, 180, (1, 6, 6, 3)), np.ones((1, 8, 8, 1)))
    images = (base + rng.integers(-40, 41, (6, 48, 48, 3))).astype(np.uint8)
    video = [Frame(image, 0.04 * i, i) for i, image in enumerate(images)]
    raw = list(show_live(model, video, RecordingView(), smoothing_s=0))
    smoothed = list(show_live(model, video, RecordingView(), smoothing_s=5.0))
    alone = [model.predict(image) for image in images]

    def spread(results):
        return np.std([result.faces[0].prediction.probabilities for result in results], axis=0)

    assert np.allclose(spread(raw), spread(alone), atol=1e-6)
    assert spread(smoothed).sum() < 0.5 * spread(raw).sum()


def test_the_latency_counts_from_the_capture_of_a_frame():
    timed = LatencyClock(frames(3, step_s=0.01))
    first, _, third = timed
    assert timed.latency_s(first) - timed.latency_s(third) == pytest.approx(0.02, abs=0.005)
    time.sleep(0.05)
    assert timed.latency_s(third) >= 0.05


def test_a_late_first_frame_does_not_shorten_later_latencies():
    def late():
        now = time.monotonic()
        time.sleep(0.2)  # the first frame was captured long before it was fetched
        yield Frame(np.zeros((2, 2, 3), np.uint8), 0.0, 0)
        yield Frame(np.zeros((2, 2, 3), np.uint8), time.monotonic() - now, 1)

    timed = LatencyClock(late())
    first, second = timed
    assert timed.latency_s(first) > 0.19
    assert timed.latency_s(second) < 0.1


def test_frame_rate_and_latency_are_averages_over_the_last_seconds():
    now = [0.0]
    meter = FPSMeter(clock=lambda: now[0])
    assert meter.update(0.5) == (0.5, 0.0)
    for number in range(1, 101):  # ten seconds at 10, then at 20 frames per second
        now[0] = number / 10
        latency_s, fps = meter.update(0.1)
    assert (latency_s, fps) == (pytest.approx(0.1), pytest.approx(10))
    for number in range(1, 101):
        now[0] = 10 + number / 20
        latency_s, fps = meter.update(0.3)
    assert (latency_s, fps) == (pytest.approx(0.3), pytest.approx(20))


def test_each_view_has_a_name():
    assert isinstance(open_view("page"), Page)
    assert isinstance(open_view("terminal"), Terminal)
    assert isinstance(open_view("window"), Window)


def test_auto_is_a_window_if_opencv_has_windows_else_the_page():
    assert isinstance(open_view("auto"), Window if has_windows() else Page)


def test_the_port_is_that_of_the_page():
    assert ":8123/" in open_view("page", port=8123).address


def test_an_unknown_view_is_an_error_that_suggests_a_name():
    with pytest.raises(InputError, match="Did you mean 'terminal'"):
        open_view("terminel")


def test_the_command_line_offers_the_same_views():
    assert OPTION_VALUES == VIEWS
