"""Numbers and times of frames, from any start, in any container; and what is called cut off."""

import itertools
import struct
import zlib
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from emopy.media import decoding, open_video
from emopy.media.timeline import Clock
from emopy.media.truncation import is_cut_off

OLD = int(version("av").split(".", 1)[0]) < 18
"""Whether PyAV cannot copy a stream of video, and FFmpeg writes VOB with sparse timestamps."""

B_FRAMES = {"g": "12", "bf": "2"}
X265 = {"x265-params": "log-level=none:keyint=20:min-keyint=20"}
OPEN_GOPS = {"x264-params": "open-gop=1:keyint=15:min-keyint=15:bframes=3"}

# Name, codec and options of the encoder.
KINDS = [
    ("mpeg4.avi", "mpeg4", B_FRAMES),
    ("mpeg2.avi", "mpeg2video", B_FRAMES),
    ("h264.avi", "libx264", B_FRAMES),
    ("a.mpg", "mpeg2video", B_FRAMES),
    ("a.vob", "mpeg2video", B_FRAMES),
    ("a.ts", "libx264", B_FRAMES),
    ("open.mkv", "libx264", OPEN_GOPS),
    ("open.mp4", "libx264", OPEN_GOPS),
    ("open.ts", "libx264", OPEN_GOPS),
    ("refresh.mp4", "libx264", {"x264-params": "intra-refresh=1:keyint=15:bframes=0"}),
    ("hevc.mkv", "libx265", X265),
    ("hevc.mp4", "libx265", X265),
    ("hevc.ts", "libx265", X265),
    ("a.h264", "libx264", B_FRAMES),
    ("a.hevc", "libx265", X265),
    ("a.m2v", "mpeg2video", B_FRAMES),
    ("a.m4v", "mpeg4", B_FRAMES),
    ("a.mjpeg", "mjpeg", {}),
    ("a.flv", "libx264", B_FRAMES),
    ("a.wmv", "wmv2", {"g": "12"}),
    ("a.nut", "mpeg4", B_FRAMES),
    ("a.gif", "gif", {}),
    ("a.apng", "apng", {}),
]


def write(path, codec, options, *, times_ms=None, frames=60, seed=0, size=(96, 64)):
    """Write frames of smooth noise that moves, at 25 frames/s unless times are given."""
    import av

    width, height = size
    noise = np.random.default_rng(seed).integers(0, 256, (8, 12, 3), np.uint8)
    field = np.kron(noise, np.ones((height // 2, width // 2, 1), np.uint8))
    formats = {"a.m2v": "mpeg2video", "a.m4v": "m4v"}
    settings = {key: value for key, value in options.items() if key == "movflags"}
    with av.open(str(path), "w", formats.get(Path(path).name), settings) as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height = size
        pixels = {"mjpeg": "yuvj420p", "gif": "rgb8", "apng": "rgb24"}
        stream.pix_fmt = pixels.get(codec, "yuv420p")
        tick = Fraction(1, 1000) if times_ms is not None else Fraction(1, 25)
        stream.codec_context.time_base = tick
        for place, stamp in enumerate(range(frames) if times_ms is None else times_ms):
            shift = place % width
            image = np.ascontiguousarray(field[place % height :, shift:][:height, :width])
            frame = av.VideoFrame.from_ndarray(image).reformat(format=stream.pix_fmt)
            frame.pts, frame.time_base = stamp, tick
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def read(path, **wanted):
    with open_video(path, **wanted) as video:
        shown = [(frame.number, frame.time_s, zlib.crc32(frame.image)) for frame in video]
    return shown, video


def check_starts(path, starts_s, *, longer_sound=False):
    """The property: from any start the frames are those of the run from the beginning."""
    whole, video = read(path)
    assert [number for number, _, _ in whole] == list(range(len(whole)))
    assert all(before[1] < after[1] for before, after in itertools.pairwise(whole))
    assert video.shortfall == ""
    # A trimmed HEVC video may hold a packet for a frame that no decoder can show.
    assert len(whole) <= video.frames <= len(whole) + (path.suffix == ".mkv")
    assert video.duration_s == pytest.approx(whole[-1][1] + 0.04, abs=0.3 if longer_sound else 0.09)
    for start_s in starts_s:
        shown, video = read(path, start_s=start_s)
        assert shown == [frame for frame in whole if frame[1] >= start_s - 1e-6], start_s
        assert video.shortfall == ""
        assert video.frames == len(shown), start_s
    return whole


@pytest.mark.parametrize("name, codec, options", KINDS, ids=[name for name, _, _ in KINDS])
def test_a_frame_is_the_same_from_any_start(tmp_path, name, codec, options):
    path = write(tmp_path / name, codec, options)
    whole = check_starts(path, [0.02, 0.64, 1.0, 1.3, 1.99, 2.3])
    assert len(whole) == 60
    first_s = whole[0][1]
    times_s = [first_s + place / 25 for place in range(60)]
    assert [time_s for _, time_s, _ in whole] == pytest.approx(times_s, abs=0.002)


@pytest.mark.parametrize("suffix, codec", [("ts", "libx264"), ("mpg", "mpeg2video"),
                                           ("vob", "mpeg2video"), ("h264", "libx264"),
                                           ("hevc.ts", "libx265")])  # fmt: skip
def test_files_joined_end_to_end_are_one_video(tmp_path, suffix, codec):
    if OLD and suffix == "vob":
        pytest.skip("its frames have no timestamps of their own")
    options = X265 if codec == "libx265" else B_FRAMES
    lengths = [40, 60, 25]
    parts = [
        write(tmp_path / f"{seed}.{suffix}", codec, options, frames=frames, seed=seed)
        for seed, frames in enumerate(lengths)
    ]
    path = tmp_path / f"joined.{suffix}"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    whole = check_starts(path, [0.5, 1.4, 1.64, 2.0, 3.5, 4.1, 4.8])
    assert [time_s for _, time_s, _ in whole] == pytest.approx(np.arange(125) / 25, abs=0.002)
    images = [image for part in parts for _, _, image in read(part)[0]]
    assert [image for _, _, image in whole] == images


def remuxed(source, path, start_s, *, with_sound=False):
    """Copy from a time on without decoding, as ``ffmpeg -ss … -c copy`` does."""
    import av

    with av.open(str(source)) as old, av.open(str(path), "w") as new:
        stream = old.streams.video[0]
        copied = {stream: new.add_stream_from_template(stream)}
        if with_sound:
            copied[old.streams.audio[0]] = new.add_stream_from_template(old.streams.audio[0])
        old.seek(int(start_s / stream.time_base), stream=stream)
        for packet in old.demux(list(copied)):
            if packet.pts is None:
                continue
            offset = int(start_s / packet.time_base)
            packet.pts, packet.dts = packet.pts - offset, packet.dts - offset
            packet.stream = copied[packet.stream]
            new.mux(packet)
    return path


def with_sound(path, codec, options):
    import av

    plain = write(path.with_name("silent.mkv"), codec, options)
    with av.open(str(plain)) as old, av.open(str(path), "w") as new:
        stream = old.streams.video[0]
        copied = new.add_stream_from_template(stream)
        sound = new.add_stream("aac", rate=48000, layout="mono")
        for packet in old.demux(stream):
            if packet.pts is not None:
                packet.stream = copied
                new.mux(packet)
        for place in range(120):
            tone = np.full((1, 1024), 0.1, np.float32)
            frame = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 48000, 1024 * place
            new.mux(sound.encode(frame))
        new.mux(sound.encode())
    return path


@pytest.mark.skipif(OLD, reason="makes its input by copying a stream")
@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
@pytest.mark.parametrize("codec", ["libx264", "libx265"])
@pytest.mark.parametrize("sound", [False, True])
def test_a_video_trimmed_without_encoding_is_whole(tmp_path, suffix, codec, sound):
    options = X265 if codec == "libx265" else B_FRAMES
    source = tmp_path / "source.mp4"
    source = with_sound(source, codec, options) if sound else write(source, codec, options)
    whole = read(source)[0]
    path = remuxed(source, tmp_path / f"trimmed.{suffix}", 1.08, with_sound=sound)
    shown = check_starts(path, [0.2, 0.6, 1.0], longer_sound=sound)
    assert len(shown) == 60 - 27 or suffix == "mkv"
    assert [image for _, _, image in shown] == [image for _, _, image in whole[-len(shown) :]]


@pytest.mark.parametrize("suffix", ["mp4", "mov"])
@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_an_end_cut_off_by_an_edit_list_is_no_damage(tmp_path, suffix, codec):
    path = write(tmp_path / f"a.{suffix}", codec, X265 if codec == "libx265" else B_FRAMES)
    content = bytearray(path.read_bytes())
    place = content.find(b"elst") + 12  # the duration of the only entry (ISO/IEC 14496-12, 8.6.6)
    halved = int.from_bytes(content[place : place + 4], "big") // 2
    content[place : place + 4] = halved.to_bytes(4, "big")
    path.write_bytes(content)
    assert len(check_starts(path, [0.3, 0.9])) == 30


def with_edits(path, edits):
    """Replace the edit list: (duration in ms, first media time in ticks; -1: nothing) each."""
    content = path.read_bytes()
    place = content.index(b"edts") - 4
    old = int.from_bytes(content[place : place + 4], "big")
    entries = b"".join(struct.pack(">IiI", *edit, 1 << 16) for edit in edits)
    elst = struct.pack(">I4sII", 16 + len(entries), b"elst", 0, len(edits)) + entries
    new = struct.pack(">I4s", 8 + len(elst), b"edts") + elst
    content = bytearray(content[:place] + new + content[place + old :])
    for box in (b"moov", b"trak"):  # the index is at the end: no offsets change
        at = content.rindex(box) - 4
        size = int.from_bytes(content[at : at + 4], "big") + len(new) - old
        content[at : at + 4] = size.to_bytes(4, "big")
    path.write_bytes(content)


@pytest.mark.parametrize(
    "edits, count",
    [
        ([(1000, 0), (800, 20480)], 45),  # a cut in the middle
        ([(1000, 0), (1000, 12800), (400, 25600)], 60),
        ([(400, -1), (1000, 6400)], 25),  # starts later than the file
    ],
)
def test_several_edits_are_no_damage(tmp_path, edits, count):
    path = write(tmp_path / "a.mp4", "libx264", {"g": "12", "bf": "0"})
    with_edits(path, edits)
    whole, video = read(path)
    assert [number for number, _, _ in whole] == list(range(len(whole)))
    assert (video.frames, video.shortfall) == (len(whole), "")
    assert abs(len(whole) - count) <= 2
    for start_s in (0.5, 0.9):
        shown, video = read(path, start_s=start_s)
        assert shown == [frame for frame in whole if frame[1] >= start_s - 1e-6]
        assert video.shortfall == ""


def test_a_long_distance_between_keyframes_needs_little_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "_MAX_WAITING_BYTES", 3000)
    path = write(tmp_path / "a.mkv", "libx264", {"g": "30", "bf": "2"})
    check_starts(path, [0.9, 1.3, 2.3])


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "webm"])
@pytest.mark.parametrize("still", ["start", "end"])
def test_a_still_start_or_end_is_no_damage(tmp_path, suffix, still):
    moving = [33 * place for place in range(40)]
    times_ms = (
        [*range(0, 3000, 500), *(3000 + time for time in moving)]
        if still == "start"
        else [*moving, *range(2000, 6000, 1000)]
    )
    codec = "libvpx-vp9" if suffix == "webm" else "libx264"
    options = {"deadline": "realtime", "cpu-used": "8"} if suffix == "webm" else {}
    path = write(tmp_path / f"a.{suffix}", codec, options, times_ms=times_ms)
    whole, video = read(path)
    assert (len(whole), video.frames, video.shortfall) == (len(times_ms), len(times_ms), "")
    assert [time_s * 1000 for _, time_s, _ in whole] == pytest.approx(times_ms, abs=1)
    assert times_ms[-1] / 1000 <= video.duration_s < times_ms[-1] / 1000 + 1.1
    assert video.fps == pytest.approx(len(times_ms) / video.duration_s, rel=0.15)


@pytest.mark.parametrize(
    "codec, suffix, times_ms",
    [
        ("ffv1", "mkv", sorted([*range(0, 2000, 40), 400, 800])),
        ("ffv1", "mkv", sorted([*range(0, 2000, 40), 400, 400, 400])),
        ("ffv1", "mkv", [*range(0, 1200, 40), *range(1160, 2360, 40)]),
        ("libx264", "mkv", [round(place / 1.2) for place in range(120)]),
        ("libx264", "mkv", [round(place / 2) for place in range(120)]),
        ("libvpx", "webm", [round(place / 2) for place in range(120)]),
        ("ffv1", "mkv", [place // 10 for place in range(120)]),
    ],
)
def test_repeated_and_falling_timestamps_lose_no_frame(tmp_path, codec, suffix, times_ms):
    options = {"strict": "experimental"}
    path = write(tmp_path / f"a.{suffix}", codec, options, times_ms=times_ms)
    whole, video = read(path)
    assert [number for number, _, _ in whole] == list(range(len(times_ms)))
    assert all(before[1] < after[1] for before, after in itertools.pairwise(whole))
    assert (video.frames, video.shortfall) == (len(times_ms), "")
    if times_ms == sorted(times_ms):
        assert [time_s * 1000 for _, time_s, _ in whole] == pytest.approx(times_ms, abs=1.01)
    for start_s in (whole[len(whole) // 3][1], whole[-5][1]):
        shown, video = read(path, start_s=start_s)
        assert shown == [frame for frame in whole if frame[1] >= start_s - 1e-6]
        assert video.shortfall == ""


class Stream:
    """What a clock needs of a stream: milliseconds at 25 frames/s."""

    average_rate, time_base, start_time = Fraction(25), Fraction(1, 1000), 0


@pytest.mark.parametrize(
    "stamps, expected",
    [
        ([0, 40, None, 120], [0, 40, 80, 120]),
        ([0, 40, 80, 0, 40, 80], [0, 40, 80, 120, 160, 200]),
        ([0, 40, 80, 0, 40, 90, 5, 45], [0, 40, 80, 120, 160, 210, 250, 290]),
        ([0, 40, 80, 0, 160, 200], [0, 40, 80, 120, 160, 200]),
        ([0, 40, 80, 60, 160], [0, 40, 80, 80, 160]),
        ([-40, 0, 40], [0, 0, 40]),
    ],
)
def test_times_rise_where_timestamps_fall(stamps, expected):
    clock = Clock(Stream())
    times_s = [clock.advance(stamp) for stamp in stamps]
    assert [time_s * 1000 for time_s in times_s] == pytest.approx(expected, abs=0.1)
    assert all(before < after for before, after in itertools.pairwise(times_s))


CUT = {
    "a.mp4": ("libx264", {"movflags": "faststart"}),
    "frag.mp4": ("libx264", {"movflags": "frag_keyframe"}),
    "a.mkv": ("libx264", {}),
    "a.webm": ("libvpx", {"deadline": "realtime"}),
    "a.avi": ("mpeg4", {}),
    "a.flv": ("flv", {}),
    "a.wmv": ("wmv2", {}),
}


@pytest.mark.parametrize("name", CUT)
@pytest.mark.parametrize("kept", [0.5, 0.8, 0.98])
def test_a_file_that_is_cut_off_is_reported(tmp_path, name, kept):
    codec, options = CUT[name]
    path = write(tmp_path / name, codec, {"g": "12", **options}, size=(320, 240))
    assert not is_cut_off(str(path))
    assert read(path)[1].shortfall == ""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    shown, video = read(path)
    assert video.truncated
    assert "the file ends too early" in video.shortfall
    numbers = [number for number, _, _ in shown]
    assert numbers[-1] <= len(shown) + 1, "a frame decoded later may be shown earlier"


def test_lost_packets_of_a_transport_stream_are_reported(tmp_path):
    path = write(tmp_path / "a.ts", "libx264", {"g": "12", "bf": "0"}, size=(320, 240))
    content = bytearray(path.read_bytes())
    middle = len(content) // 188 // 2 * 188
    del content[middle : middle + 20 * 188]
    path.write_bytes(content)
    shown, video = read(path)
    assert video.skipped or len(shown) < 60
    assert all(before[0] < after[0] for before, after in itertools.pairwise(shown))


def test_a_start_is_exact_where_timestamps_do_not_tell_the_order(tmp_path):
    """A keyframe and the B-frame before it with one timestamp, as in sparsely stamped VOB files."""
    path = write(tmp_path / "a.ts", "mpeg2video", B_FRAMES)
    times = read_packets(path)
    keyframe = next(stamp for stamp, is_keyframe in times[20:] if is_keyframe)
    content = bytearray(path.read_bytes())
    later, sooner = (pes_stamp(stamp) for stamp in (keyframe, keyframe - 7200))
    assert content.count(later) == 1
    path.write_bytes(content.replace(later, sooner))
    whole, video = read(path)
    assert video.shortfall == ""
    for start_s in (0.9, 1.0, 1.1, 1.3, 1.9):
        shown, _ = read(path, start_s=start_s)
        assert shown == [frame for frame in whole if frame[1] >= start_s - 1e-6], start_s


def read_packets(path):
    import av

    with av.open(str(path)) as container:
        return [(packet.pts, packet.is_keyframe) for packet in container.demux(video=0)]


def pes_stamp(stamp):
    """A presentation timestamp as in a PES header with a decoding timestamp (ISO/IEC 13818-1)."""
    high, middle, low = stamp >> 30, stamp >> 15 & 0x7FFF, stamp & 0x7FFF
    return struct.pack(">BHH", 0x31 | high << 1, middle << 1 | 1, low << 1 | 1)
