import threading
import time

import cv2
import numpy as np
import pytest

from emopy.errors import InputError
from emopy.live import open_live
from emopy.live.sources import concatenated, in_real_time
from emopy.media import Video
from emopy.types import Frame


def video(count, step_s):
    return [Frame(np.full((4, 4, 3), i, dtype=np.uint8), i * step_s, i) for i in range(count)]


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Half a second at 20 frames per second, as a Motion JPEG video."""
    path = tmp_path_factory.mktemp("videos") / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 20, (64, 48))
    for level in range(10):
        writer.write(np.full((48, 64, 3), 20 * level, dtype=np.uint8))
    writer.release()
    return path


def test_frames_are_yielded_when_they_are_due():
    started_s = time.monotonic()
    yielded = [
        (frame.time_s, time.monotonic() - started_s) for frame in in_real_time(video(6, 0.05))
    ]
    assert [due_s for due_s, _ in yielded] == pytest.approx([0.05 * i for i in range(6)])
    for due_s, at_s in yielded:
        assert due_s - 0.001 <= at_s


def test_a_slow_reader_gets_the_newest_frame_that_is_due():
    started_s, shown = time.monotonic(), []
    for frame in in_real_time(video(30, 0.01)):
        shown.append(frame.number)
        time.sleep(0.055)
    assert shown[0] == 0
    assert shown[-1] == 29
    assert len(shown) <= 8
    assert time.monotonic() - started_s < 0.6


def test_a_video_that_decodes_too_slowly_is_still_shown():
    def slow():
        for frame in video(40, 0.001):
            time.sleep(0.02)
            yield frame

    shown = [frame.number for frame in in_real_time(slow())]
    assert len(shown) >= 3
    assert shown[-1] == 39


@pytest.mark.parametrize("count", [0, 1])
def test_a_video_of_no_or_one_frame_yields_no_or_one_frame(count):
    assert len(list(in_real_time(video(count, 0.1)))) == count


def test_times_and_numbers_continue_when_a_video_restarts():
    moved = list(concatenated([video(3, 0.1), video(3, 0.1), video(2, 0.1)]))
    assert [frame.number for frame in moved] == list(range(8))
    assert [frame.time_s for frame in moved] == pytest.approx([0.1 * i for i in range(8)])


def test_videos_without_frames_end_the_sequence():
    assert list(concatenated(iter(list, None))) == []
    assert len(list(concatenated([video(1, 0.1), video(1, 0.1), []]))) == 2


def test_a_file_plays_once_at_its_own_speed(clip):
    with open_live(clip) as frames:
        started_s = time.monotonic()
        shown = list(frames)
    assert shown[0].number == 0
    assert shown[-1].number == 9
    assert 0.4 < time.monotonic() - started_s < 2


def test_a_looped_file_restarts_and_leaves_no_thread(clip):
    before = threading.active_count()
    with open_live(clip, loop=True) as frames:
        numbers = [next(frames).number for _ in range(25)]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] >= 24
    assert threading.active_count() == before


def test_no_camera_and_no_file_are_errors_before_the_first_frame(tmp_path):
    for source in (99, tmp_path / "none.mp4"):
        with pytest.raises(InputError, match="`source`"), open_live(source):
            pass


def test_a_truncated_file_is_known_at_the_end(clip, tmp_path):
    cut = tmp_path / "cut.avi"
    content = clip.read_bytes()
    start = content.index(b"movi")
    cut.write_bytes(content[: start + (len(content) - start) * 6 // 10])
    with open_live(cut) as frames:
        assert frames.video.shortfall == ""
        assert len(list(frames)) >= 1
        assert "the file ends too early" in frames.video.shortfall


def test_a_camera_cannot_be_looped(monkeypatch):
    monkeypatch.setattr("emopy.live.sources.open_video", lambda source: Video(Endless()))
    with (
        pytest.raises(
            InputError, match=r"`loop` must be False for a camera.* Received True. Leave"
        ),
        open_live(0, loop=True),
    ):
        pass


class Endless:
    """A stand-in for a camera."""

    source, size, duration_s, fps, frames = "camera 0", (4, 4), None, None, None
    is_live = True

    def close(self):
        """Nothing is open."""
