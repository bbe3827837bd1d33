"""Frames of a camera: the newest one each time."""

import threading
import time

import cv2
import numpy as np
import pytest

from emopy.errors import InputError
from emopy.media import Video, open_video
from emopy.media.cameras import Camera, quiet_opencv
from emopy.media.sampling import Sampling


class Generated:
    """A simulated camera: 100 images a second by its own clock."""

    def __init__(self, images=50, damaged=(), pace_s=0.0, gate=None):
        self.images, self.damaged, self.pace_s, self.gate = images, damaged, pace_s, gate
        self.grabbed, self.decoded, self.released = 0, 0, False

    def grab(self):
        time.sleep(self.pace_s)
        if self.gate is not None and self.grabbed:
            self.gate.acquire(timeout=10)
        if self.grabbed == self.images:
            return False
        self.grabbed += 1
        return True

    def retrieve(self):
        self.decoded += 1
        if self.grabbed - 1 in self.damaged:
            return False, None
        image = np.zeros((24, 32, 3), np.uint8)
        image[..., 0] = self.grabbed - 1  # blue, in OpenCV's order
        return True, image

    def get(self, prop):
        return 100.0

    def release(self):
        self.released = True

    def clock(self):
        """Seconds: 5.00 at the opening, then 10 ms for each image."""
        return 5.0 + self.grabbed * 0.01 - 0.01 * (self.grabbed > 0)


class LateClock:
    """A clock of a camera whose first image comes three seconds after the opening."""

    def __init__(self, capture):
        self.capture = capture

    def __call__(self):
        return self.capture.clock() + 3.0 * (self.capture.grabbed > 0)


def opened(capture, **wanted):
    return Video(Camera(capture, "camera 0", Sampling(**wanted), clock=capture.clock))


def one_by_one(video, gate):
    """Yield every frame: the camera waits for the consumer."""
    for frame in video:
        yield frame
        gate.release()


def test_a_camera_has_the_attributes_of_a_video():
    with opened(Generated()) as video:
        assert (video.source, video.size, video.is_live) == ("camera 0", (32, 24), True)
        assert (video.duration_s, video.frames, video.truncated) == (None, None, False)
        assert video.fps == 100


def test_the_time_until_the_first_image_does_not_count():
    gate = threading.Semaphore(0)
    capture = Generated(images=5, gate=gate)
    camera = Camera(capture, "camera 0", Sampling(end_s=0.025), clock=LateClock(capture))
    frames = list(one_by_one(Video(camera), gate))
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.01, 0.02])


def test_frames_are_rgb_with_numbers_and_times():
    gate = threading.Semaphore(0)
    with opened(Generated(images=5, gate=gate)) as video:
        frames = list(one_by_one(video, gate))
    assert [frame.number for frame in frames] == [0, 1, 2, 3, 4]
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.01, 0.02, 0.03, 0.04])
    assert frames[3].image.shape == (24, 32, 3)
    assert frames[3].image[0, 0].tolist() == [0, 0, 3]


def test_a_slow_consumer_gets_the_newest_frame():
    capture = Generated(images=60, pace_s=0.005)
    late = []
    with opened(capture) as video:
        for frame in video:
            time.sleep(0.03)
            late.append(capture.grabbed - frame.number)
            if capture.grabbed == 60:
                break
    assert 3 < len(late) < 40, "most of the 60 were replaced by newer ones"
    assert max(late[1:]) < 25, "never further behind than one pause"


def test_a_disconnected_camera_ends_the_video():
    capture = Generated(images=10)
    with opened(capture) as video:
        assert [frame.number for frame in video][-1] == 9
    assert capture.released


def test_closing_stops_the_thread_and_releases_the_camera():
    before = threading.active_count()
    capture = Generated(images=-1, pace_s=0.001)
    with opened(capture) as video:
        next(iter(video))
        assert threading.active_count() == before + 1
    assert threading.active_count() == before
    assert capture.released


def test_closing_in_another_thread_ends_the_iteration():
    capture = Generated(images=-1, pace_s=0.001)
    video = opened(capture)
    timer = threading.Timer(0.1, video.close)
    timer.start()
    for _ in video:
        pass
    timer.join()
    assert capture.released


def test_damaged_images_are_skipped_and_counted():
    gate = threading.Semaphore(2)  # the first image is damaged
    with opened(Generated(images=5, damaged={0, 2}, gate=gate)) as video:
        gate.release(10)
        assert [frame.number for frame in video][-1] == 4
        assert video.skipped == 2


@pytest.mark.parametrize("capture", [Generated(images=0), Generated(-1, damaged=range(255))])
def test_a_camera_without_an_image_is_refused_and_released(capture):
    with pytest.raises(InputError, match=r"Received camera 0: none came. Close other programs"):
        opened(capture)
    assert capture.released


@pytest.mark.parametrize(
    "wanted, numbers",
    [
        ({"every": 4}, [0, 4, 8, 12, 16]),
        ({"fps": 20}, [0, 5, 10, 15]),
        ({"fps": 1000, "end_s": 0.05}, [0, 1, 2, 3, 4]),
        ({"start_s": 0.16}, [16, 17, 18, 19]),
        ({"every": 2, "start_s": 0.05, "end_s": 0.1}, [5, 7, 9]),
    ],
)
def test_only_selected_frames_are_decoded(wanted, numbers):
    gate = threading.Semaphore(0)
    capture = Generated(images=20, gate=gate)
    got = []
    with opened(capture, **wanted) as video:
        frames = iter(video)
        step = threading.Thread(target=feed, args=(gate, capture.images))
        step.start()
        got.extend(frame.number for frame in frames)
        step.join()
    assert set(got) <= set(numbers)
    assert got[-1] == numbers[-1]
    assert capture.decoded == len(numbers) + (numbers[0] > 0), "the first tells the size"


def feed(gate, images):
    """Let the camera capture its images at short intervals."""
    for _ in range(images + 1):
        gate.release()
        time.sleep(0.002)


def test_a_missing_camera_is_refused_without_other_output(capfd):
    with pytest.raises(InputError) as error:
        open_video(93)
    assert "Received 93: no such camera. Connect it, or type the number" in str(error.value)
    with pytest.raises(InputError, match="no such camera"):
        open_video(1 << 40)
    with pytest.raises(InputError, match=r"Received -1. Type 0 for the first one."):
        open_video(-1)
    assert capfd.readouterr() == ("", "")


class Stuck(Generated):
    """A camera whose driver gives one image and then blocks."""

    def __init__(self):
        super().__init__()
        self.waits, self.let_go = threading.Event(), threading.Event()

    def grab(self):
        if self.grabbed:
            self.waits.set()
            self.let_go.wait(20)
            assert not self.released, "released while the driver was at work"
            return False
        return super().grab()


def test_closing_does_not_wait_for_a_driver_that_never_returns():
    capture = Stuck()
    video = opened(capture)
    seen = []
    reader = threading.Thread(target=lambda: seen.extend(video))
    reader.start()
    assert capture.waits.wait(10)
    assert eventually(lambda: seen)
    began_s = time.monotonic()
    video.close()
    assert time.monotonic() - began_s < 5
    reader.join(10)
    assert not reader.is_alive()
    assert len(seen) == 1
    assert not capture.released
    capture.let_go.set()
    assert eventually(lambda: capture.released)


def eventually(fact):
    end_s = time.monotonic() + 10
    while not fact() and time.monotonic() < end_s:
        time.sleep(0.01)
    return fact()


class Failing(Generated):
    """A camera whose driver fails at the fourth image, in one of its functions."""

    def __init__(self, where, after=3):
        super().__init__()
        self.where, self.after = where, after

    def grab(self):
        self.fail("grab")
        return super().grab()

    def retrieve(self):
        self.fail("retrieve")
        return super().retrieve()

    def fail(self, where):
        if where == self.where and self.grabbed >= self.after:
            raise cv2.error("the driver has gone")


@pytest.mark.parametrize("where", ["grab", "retrieve"])
def test_a_driver_that_fails_ends_the_video(where, capfd):
    capture = Failing(where)
    with opened(capture) as video:
        assert [frame.number for frame in video][-1] <= 2
    assert capture.released
    assert capfd.readouterr() == ("", "")


def test_a_driver_that_fails_at_once_is_refused():
    with pytest.raises(InputError, match="none came"):
        opened(Failing("grab", after=0))


def test_opencv_is_quiet_until_the_last_user_leaves():
    log = cv2 if hasattr(cv2, "getLogLevel") else cv2.utils.logging  # OpenCV 4 or 5
    before = log.getLogLevel()
    first, second = quiet_opencv(), quiet_opencv()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert log.getLogLevel() == 0
    second.__exit__(None, None, None)
    assert log.getLogLevel() == before
