"""Annotated videos, read back with PyAV."""

import sys

import av
import numpy as np
import pytest

from emopy.errors import InputError, MissingExtraError
from emopy.present import COLORS, VideoSink, draw_faces
from emopy.present.video_sink import Encoder, choose_encoder
from emopy.types import ImageResult

SUFFIXES = [".mp4", ".mov", ".mkv", ".webm"]
TIMES = [12.0, 12.04, 12.08, 12.5, 12.533, 12.6, 13.0, 13.001, 13.04]


def image(width=640, height=480, value=90):
    return np.full((height, width, 3), value, np.uint8)


def written(path, results, size=(640, 480)):
    with VideoSink(path, size=size) as sink:
        for result in results:
            sink.write(image(*size), result)
    return path


def frames_of(path):
    with av.open(str(path)) as video:
        frames = list(video.decode(video=0))
    return [(frame.time, frame.to_ndarray(format="rgb24")) for frame in frames]


def close(pixels, color, tolerance=30):
    return (np.abs(pixels.astype(int) - color) <= tolerance).all(axis=-1)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_frames_keep_their_times_and_annotations(shown, tmp_path, suffix):
    results = [shown(t, {7: "surprise"} if t < 12.55 else {}) for t in TIMES]
    frames = frames_of(written(tmp_path / "new" / f"annotated{suffix}", results))
    assert [time for time, _ in frames] == pytest.approx([t - 12 for t in TIMES], abs=0.001)
    expected = draw_faces(image(), results[0])
    seen = frames[0][1]
    assert seen.shape == expected.shape
    assert np.abs(seen.astype(int) - expected).mean() < 3
    box = close(expected, COLORS["surprise"], 0)
    # Chroma has half the resolution: lines of two pixels keep their color roughly.
    assert close(seen[box], COLORS["surprise"], 60).mean() > 0.8
    # An encoder with one thread instead of two rounds differently, by one level.
    assert np.abs(frames[-1][1].astype(int) - 90).max() <= 7


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_last_frame_lasts_as_the_one_before(shown, tmp_path, suffix):
    path = written(tmp_path / f"annotated{suffix}", [shown(i / 10, {}) for i in range(20)])
    with av.open(str(path)) as video:
        assert video.duration / av.time_base == pytest.approx(2.0, abs=0.005)


def test_players_get_h264_with_standard_colors_and_the_index_first(shown, tmp_path):
    path = written(tmp_path / "annotated.mp4", [shown(i / 25, {1: "fear"}) for i in range(5)])
    with av.open(str(path)) as video:
        codec = video.streams.video[0].codec_context
        assert (codec.name, codec.pix_fmt) == ("h264", "yuv420p")
        assert (codec.colorspace, codec.color_primaries, codec.color_trc) == (1, 1, 1)
    content = path.read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat")


def test_a_uniform_color_is_kept(tmp_path):
    with VideoSink(tmp_path / "annotated.mp4", size=(640, 480)) as sink:
        for i in range(3):
            image = np.full((480, 640, 3), COLORS["anger"], np.uint8)
            sink.write(image, ImageResult("a", (640, 480), (), i / 25, i))
    assert close(frames_of(tmp_path / "annotated.mp4")[1][1], COLORS["anger"], 4).all()


@pytest.mark.parametrize("size, drawn", [((161, 121), (644, 484)), ((501, 499), (502, 500))])
def test_sides_are_made_even(shown, tmp_path, size, drawn):
    result = shown(0.0, {1: "fear"}, size=size)
    ((_, seen),) = frames_of(written(tmp_path / "annotated.mp4", [result], size))
    assert seen.shape == (drawn[1], drawn[0], 3)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("size", [(2000, 16), (16, 2000), (1, 1), (3, 5), (1, 1500), (8001, 3)])
def test_small_and_narrow_videos_are_written(shown, found, tmp_path, suffix, size):
    face = found((0, 0, max(1, size[0] / 2), size[1]), track=1)
    results = [ImageResult("a", size, (face,), i / 25, i) for i in range(2)]
    frames = frames_of(written(tmp_path / f"annotated{suffix}", results, size))
    assert len(frames) == 2
    width, height = (frames[0][1].shape[side] // size[1 - side] for side in (1, 0))
    assert abs(width - height) <= 1, "the aspect is kept"


@pytest.mark.parametrize(
    "suffix, way", [(".mp4", r"Type: .*annotated\.webm"), (".webm", "smaller")]
)
def test_sides_that_no_encoder_takes_are_refused_in_plain_words(shown, tmp_path, suffix, way):
    size = (20_000, 2) if suffix == ".mp4" else (70_000, 2)
    message = rf"`path` must name .* {size[0]} × 2 pixels.*a side. .*{way}"
    with pytest.raises(InputError, match=message):
        written(tmp_path / f"annotated{suffix}", [shown(0.0, {}, size=size)], size)
    assert list(tmp_path.iterdir()) == []


def test_frames_that_are_not_later_are_skipped(shown, tmp_path):
    results = [shown(t, {}) for t in (5.0, 5.0, 5.1, 5.05, 5.2)]
    frames = frames_of(written(tmp_path / "annotated.mp4", results))
    assert [time for time, _ in frames] == pytest.approx([0, 0.1, 0.2])


def test_labels_of_a_jittering_face_stay_in_their_places(shown, found, tmp_path):
    rng = np.random.default_rng(1)

    def jittering(i):
        left, top = np.array([60, 90]) + rng.integers(-1, 2, 2)
        face = found((left, top, left + 110, top + 130), track=3)
        return ImageResult("a", (640, 480), (face,), i / 25, i)

    results = [jittering(i) for i in range(12)]
    frames = [frame for _, frame in frames_of(written(tmp_path / "annotated.mp4", results))]
    panel = np.array([frame[:, 200:460] for frame in frames[2:]]).astype(int)
    assert np.abs(np.diff(panel, axis=0)).max() < 90  # letters that move would differ by 200
    assert panel.std(axis=0).mean() < 2


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_after_an_exception_the_old_file_is_unchanged_and_alone(shown, tmp_path, suffix):
    path = tmp_path / f"annotated{suffix}"
    path.write_text("old")

    def interrupted(count):
        yield from (shown(i / 25, {1: "fear"}) for i in range(count))
        raise KeyboardInterrupt

    for count in (0, 1, 60):
        with pytest.raises(KeyboardInterrupt):
            written(path, interrupted(count))
        assert path.read_text() == "old"
        assert list(tmp_path.iterdir()) == [path]


def test_bad_paths_sizes_and_frames_are_refused_and_leave_no_file(shown, tmp_path):
    with pytest.raises(InputError, match=r"end in \.mp4.*Received.*annotated\.avi.*annotated\.mp4"):
        VideoSink(tmp_path / "annotated.avi", size=(640, 480))
    with pytest.raises(InputError, match="`size` must be"):
        VideoSink(tmp_path / "annotated.mp4", size=(0, 480))
    with pytest.raises(InputError, match="one or more frames"):
        written(tmp_path / "annotated.mp4", [])
    with pytest.raises(InputError, match=r"video frame with a time"):
        written(tmp_path / "annotated.mp4", [ImageResult("a.jpg", (640, 480))])
    with (
        pytest.raises(InputError, match=r"size of the video, 640 × 480\. Received 320 × 240"),
        VideoSink(tmp_path / "annotated.mp4", size=(640, 480)) as sink,
    ):
        sink.write(image(320, 240), shown(0.0, {}))
    with pytest.raises(InputError, match=r"inside the `with` block"):
        sink.write(image(), shown(0.0, {}))
    assert list(tmp_path.iterdir()) == []


def test_the_error_names_a_folder_that_cannot_be_written(shown, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="must be a file that can be written"):
        written(tmp_path / "file" / "annotated.mp4", [shown(0.0, {})])


def test_the_best_encoder_that_is_there_is_chosen():
    both = (Encoder("libx264", {}, 100), Encoder("mpeg4", {}, 100))
    assert choose_encoder(both, {"mpeg4", "libx264"}).codec == "libx264"
    assert choose_encoder(both, {"mpeg4"}).codec == "mpeg4"
    with pytest.raises(InputError, match=r"libx264 or mpeg4.*annotated\.mp4"):
        choose_encoder(both, {"gif"})


@pytest.mark.parametrize("codec", ["mpeg4", "libvpx"])
def test_the_second_choice_works_too(shown, tmp_path, monkeypatch, codec):
    available = av.codecs_available - {"libx264", "libvpx-vp9"}
    monkeypatch.setattr(av, "codecs_available", available)
    path = tmp_path / f"annotated{'.mp4' if codec == 'mpeg4' else '.webm'}"
    frames = frames_of(written(path, [shown(t, {1: "fear"}) for t in TIMES]))
    assert [time for time, _ in frames] == pytest.approx([t - 12 for t in TIMES], abs=0.001)
    assert np.abs(frames[0][1].astype(int) - draw_faces(image(), shown(0, {1: "fear"}))).mean() < 4


def test_without_the_extra_one_line_says_what_to_install(shown, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match=r"Writing videos.*pip install 'emopy\[video\]'"):
        written(tmp_path / "annotated.mp4", [shown(0.0, {})])
    assert list(tmp_path.iterdir()) == []
