"""Decoding videos to upright frames with true times."""

import io
import itertools
import os
import signal
import struct
import subprocess
import sys
import threading
import time
import wave

import numpy as np
import pytest
from PIL import Image

from emopy.errors import InputError
from emopy.media import open_video
from emopy.media.containers import _version_settings
from tests.orientation import turned

# How to write each kind of file. In the second AVI images are decoded out of order.
KINDS = {
    "mp4": ("libx264", {}),
    "mov": ("mpeg4", {}),
    "avi": ("mpeg4", {}),
    "order.avi": ("libx264", {}),
    "mkv": ("libx264", {}),
    "webm": ("libvpx-vp9", {"codec_options": {"g": "15", "deadline": "realtime", "crf": "30"}}),
    "hidden.webm": (
        "libvpx",
        {"codec_options": {"g": "15", "auto-alt-ref": "1", "lag-in-frames": "10", "b": "300k"}},
    ),
    "gif": ("gif", {}),
    "ts": ("libx264", {}),
}
FASTSTART = {"format_options": {"movflags": "faststart"}}


@pytest.fixture(scope="session")
def clips(clip, tmp_path_factory):
    """One clip of 60 frames at 20 frames/s of each kind: clips(kind) -> path."""
    folder, made = tmp_path_factory.mktemp("clips"), {}

    def clips(kind):
        if kind not in made:
            codec, options = KINDS[kind]
            ticks = {"ticks": 20} if kind.endswith("avi") else {}
            made[kind] = clip(folder / f"clip.{kind}", codec, **options, **ticks)
        return made[kind]

    return clips


def read(path, **wanted):
    with open_video(path, **wanted) as video:
        return list(video), video


def near(pixel, color):
    return np.abs(pixel.astype(int) - color).max() < 70


@pytest.mark.parametrize("kind", KINDS)
def test_every_container_gives_all_frames_with_true_times_and_numbers(clips, kind, place_shown):
    frames, video = read(clips(kind))
    assert [frame.number for frame in frames] == list(range(60))
    assert [place_shown(frame.image) for frame in frames] == list(range(60))
    assert [frame.time_s for frame in frames] == pytest.approx(np.arange(60) * 0.05, abs=0.002)
    assert (video.skipped, video.truncated, video.is_live) == (0, False, False)
    assert (video.source, video.size) == (str(clips(kind)), (160, 120))
    assert video.frames == 60
    assert video.fps == pytest.approx(20, rel=0.02)
    assert video.duration_s == pytest.approx(3, abs=0.01)
    image = frames[0].image
    assert (image.shape, image.dtype) == ((120, 160, 3), np.uint8)
    assert image.flags.c_contiguous
    assert image.flags.writeable
    assert near(image[10, 10], (255, 0, 0))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("start_s", [0.2, 1.5, 1.72, 2.95])
def test_a_start_time_is_exact_and_numbers_stay_true(clips, kind, start_s, place_shown):
    frames, video = read(clips(kind), start_s=start_s, end_s=2.98)
    expected = [place for place in range(60) if place / 20 >= start_s - 0.001]
    assert [frame.number for frame in frames] == expected
    assert [place_shown(frame.image) for frame in frames] == expected
    assert [frame.time_s for frame in frames] == pytest.approx(np.array(expected) / 20, abs=0.002)
    assert abs(video.frames - len(frames)) <= 1


@pytest.mark.parametrize("kind", ["mp4", "mkv", "webm", "mov"])
def test_times_of_a_variable_rate_are_true(clip, tmp_path, kind, place_shown):
    times = np.cumsum([0, 17, 80, 33, 33, 250, 40, 15, 15, 400, 90, 61, 40, 40, 700, 33]).tolist()
    codec = {"webm": "libvpx-vp9", "mov": "mpeg4"}.get(kind, "libx264")
    path = clip(tmp_path / f"a.{kind}", codec, times_ms=times)
    frames, _ = read(path)
    assert [frame.time_s * 1000 for frame in frames] == pytest.approx(times, abs=1)
    frames, _ = read(path, start_s=0.43)
    assert [(frame.number, place_shown(frame.image)) for frame in frames][:2] == [(6, 6), (7, 7)]


@pytest.mark.parametrize(
    "degrees, corner", [(0, (0, 0)), (90, (0, -1)), (180, (-1, -1)), (270, (-1, 0))]
)
def test_rotation_is_corrected(clips, tmp_path, degrees, corner):
    path = tmp_path / "turned.mov"
    path.write_bytes(turned(clips("mov").read_bytes(), degrees))
    frames, video = read(path, end_s=0.2)
    assert video.size == ((160, 120) if degrees % 180 == 0 else (120, 160))
    for frame in frames:
        assert frame.image.shape == (video.size[1], video.size[0], 3)
        assert frame.image.flags.c_contiguous
        assert near(frame.image[corner], (255, 0, 0)), "the red corner"


def test_a_mirrored_image_is_corrected(clips, tmp_path):
    path = tmp_path / "mirrored.mov"
    path.write_bytes(turned(clips("mov").read_bytes(), "mirrored"))
    frames, _ = read(path, end_s=0.1)
    assert near(frames[0].image[0, -1], (255, 0, 0))
    assert near(frames[0].image[0, 0], (0, 0, 255))


def test_pixels_become_square(clip, tmp_path):
    path = clip(tmp_path / "a.mkv", aspect=2)
    frames, video = read(path, end_s=0.1)
    assert video.size == (320, 120)
    assert frames[0].image.shape == (120, 320, 3)


def test_transparency_is_composited_on_white(tmp_path):
    images = [Image.new("RGBA", (40, 30), (0, 0, 0, 0)) for _ in range(3)]
    for place, image in enumerate(images):
        image.paste((255, 0, 0, 255), (0, 0, 5 + place, 5))
    path = tmp_path / "a.gif"
    images[0].save(path, save_all=True, append_images=images[1:], duration=100, disposal=2)
    frames, _ = read(path)
    assert len(frames) == 3
    for frame in frames:
        assert frame.image[2, 2].tolist() == [255, 0, 0]
        assert frame.image[20, 20].tolist() == [255, 255, 255]


def test_a_frame_can_be_changed_without_changing_others(tmp_path):
    path = tmp_path / "a.png"
    images = [Image.new("RGB", (50, 30), "black") for _ in range(3)]
    for place, image in enumerate(images):
        image.paste((255, 255, 255), (place, 0, place + 1, 1))
    images[0].save(path, save_all=True, append_images=images[1:])
    path = path.rename(tmp_path / "a.apng")
    with open_video(path) as video:
        for frame in video:
            assert frame.image.sum() == 255 * 3
            assert frame.image.flags.c_contiguous
            frame.image[:] = 7


def test_every_nth_frame_is_selected(clips):
    assert [frame.number for frame in read(clips("mp4"), every=7)[0]] == list(range(0, 60, 7))
    frames, video = read(clips("mp4"), every=7, start_s=1, end_s=2)
    assert [frame.number for frame in frames] == [20, 27, 34]
    assert video.frames == 3


@pytest.mark.parametrize(
    "wanted, numbers",
    [
        ({"fps": 4}, range(0, 60, 5)),
        ({"fps": 20}, range(60)),
        ({"fps": 100}, range(60)),
        ({"fps": 1.0, "start_s": 0.5}, [10, 30, 50]),
        # Grid every 0.15 s from 1.0, frames every 0.05.
        ({"fps": 1 / 0.15, "start_s": 1, "end_s": 1.5}, [20, 23, 26, 29]),
    ],
)
def test_fps_selects_a_regular_grid(clips, wanted, numbers):
    frames, video = read(clips("mp4"), **wanted)
    assert [frame.number for frame in frames] == list(numbers)
    assert video.frames == len(frames)


def test_fps_selects_the_nearest_frames_and_none_twice(clip, tmp_path):
    times = [0, 90, 130, 190, 420, 900, 1400, 1480, 1520]
    path = clip(tmp_path / "a.mkv", times_ms=times)
    for fps in (1, 2, 3, 5, 10, 24, 300):
        got = [round(frame.time_s * 1000) for frame in read(path, fps=fps)[0]]
        grid = np.arange(0, 1520.001, 1000 / fps)
        nearest = {min(times, key=lambda time: (abs(time - due), -time)) for due in grid}
        assert got == sorted(nearest), fps


def damage(content, spots):
    """Overwrite some compressed frames with noise; the file's tables are not changed."""
    content = bytearray(content)
    start = max(content.find(b"mdat"), content.find(b"movi")) + 4
    end = max(content.rfind(b"moov"), content.rfind(b"idx1"))
    noise = np.random.default_rng(3)
    for spot in spots:
        place = start + int((end - start) * spot)
        content[place : place + 40] = noise.bytes(40)
    return bytes(content)


@pytest.mark.parametrize("kind", ["mp4", "mov", "avi"])
def test_damaged_frames_are_skipped_and_counted(clips, tmp_path, kind, place_shown, capfd):
    path = tmp_path / f"damaged.{kind}"
    path.write_bytes(damage(clips(kind).read_bytes(), [0.3, 0.45, 0.6]))
    frames, video = read(path)
    assert 1 <= video.skipped <= 20
    lost = 60 - len(frames) - video.skipped
    assert lost == 0 or (kind == "avi" and lost == 1), "damaged AVI may lose a frame unseen"
    assert frames[-1].number >= 58, "frames after the damage are missing"
    assert not video.truncated
    assert capfd.readouterr() == ("", "")
    assert [frame.number for frame in frames] == [round(frame.time_s * 20) for frame in frames]
    after = [frame for frame in frames if frame.number >= 50]
    off = {place_shown(frame.image) - frame.number for frame in after}
    assert off == {0} or (kind == "avi" and off == {lost})


@pytest.mark.parametrize("kind", KINDS)
def test_damage_anywhere_gives_frames_in_order_or_an_input_error(clips, tmp_path, kind, capfd):
    whole = clips(kind).read_bytes()
    for seed in range(12):
        noise = np.random.default_rng(seed)
        content = bytearray(whole[: noise.integers(1, len(whole))] if seed % 3 == 0 else whole)
        for place in noise.integers(0, len(content), 4):
            content[place : place + 20] = noise.bytes(len(content[place : place + 20]))
        path = tmp_path / f"{seed}.{kind}"
        path.write_bytes(content)
        try:
            frames, video = read(path, start_s=seed % 2)
        except InputError:
            continue
        for before, after in itertools.pairwise(frames):
            assert before.time_s < after.time_s
            assert before.number < after.number
        assert {frame.image.shape for frame in frames} <= {(*video.size[::-1], 3)}
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kind", ["mp4", "mkv", "webm", "avi"])
def test_a_truncated_file_gives_its_frames_and_is_reported(
    clip, tmp_path, kind, place_shown, capfd
):
    codec = {"webm": "libvpx-vp9", "avi": "mpeg4"}.get(kind, "libx264")
    options = FASTSTART if kind == "mp4" else {}
    content = clip(tmp_path / f"a.{kind}", codec, **options, ticks=20).read_bytes()
    path = tmp_path / f"cut.{kind}"
    path.write_bytes(content[: len(content) * 6 // 10])
    frames, video = read(path)
    assert 10 < len(frames) < 50
    assert [place_shown(frame.image) for frame in frames] == [frame.number for frame in frames]
    assert frames[-1].number - len(frames) <= 2, "a frame decoded later may be shown earlier"
    assert video.truncated
    assert video.skipped <= 1, "the frame that was cut through"
    assert capfd.readouterr() == ("", "")


def test_an_interval_without_frames_gives_none(clips):
    frames, video = read(clips("mp4"), start_s=0.51, end_s=0.54)
    assert (frames, video.skipped, video.truncated) == ([], 0, False)


@pytest.mark.parametrize("kind", ["mp4", "mov", "mkv"])
def test_time_0_is_the_first_frame_where_sound_starts_earlier(tmp_path, kind):
    import av

    path = tmp_path / f"late.{kind}"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25, options={"bf": "2"})
        video.width, video.height, video.pix_fmt = 160, 120, "yuv420p"
        sound = container.add_stream("aac", rate=48000, layout="mono")
        for place in range(20):
            silence = av.AudioFrame.from_ndarray(
                np.zeros((1, 1920), np.float32), format="fltp", layout="mono"
            )
            silence.sample_rate, silence.pts = 48000, 1920 * place
            container.mux(sound.encode(silence))
            image = av.VideoFrame.from_ndarray(np.zeros((120, 160, 3), np.uint8))
            image.pts = place + 2
            container.mux(video.encode(image))
        container.mux(sound.encode())
        container.mux(video.encode())
    with av.open(str(path)) as container:
        (video,) = container.streams.video
        assert float(video.start_time * video.time_base) == pytest.approx(0.08, abs=0.001)
    frames, opened = read(path)
    assert [frame.time_s for frame in frames] == pytest.approx(np.arange(20) / 25, abs=0.001)
    assert opened.duration_s == pytest.approx(0.8, abs=0.03)
    frames, _ = read(path, start_s=0.4)
    assert (frames[0].number, frames[0].time_s) == (10, pytest.approx(0.4, abs=0.001))


def test_a_partly_read_file_is_not_reported_as_truncated(clips):
    assert not read(clips("mp4"), end_s=1)[1].truncated
    with open_video(clips("mp4")) as video:
        next(iter(video))
    assert not video.truncated


def test_black_frames_and_a_single_frame_are_frames(clip, tmp_path):
    frames, video = read(clip(tmp_path / "a.mp4", times_ms=[0]))
    assert (len(frames), video.frames) == (1, 1)
    assert not frames[0].image[100, 50].any()


def test_a_video_can_be_iterated_once(clips):
    with open_video(clips("mp4")) as video:
        assert len(list(video)) == 60
        with pytest.raises(InputError, match=r"`video` must be read once. .* Open it again"):
            iter(video)
    with pytest.raises(InputError, match="closed"):
        iter(video)
    video.close()


def test_stopping_early_ends_the_thread(clips):
    before = threading.active_count()
    with open_video(clips("mp4")) as video:
        for frame in video:
            if frame.number == 3:
                break
    assert threading.active_count() == before
    assert repr(video) == f"Video({video.source!r}, 160 × 120, 3.0 s)"


@pytest.mark.parametrize("wanted", [{"every": 1000}, {"start_s": 0.3}])
def test_frames_that_are_passed_over_can_end_the_reading(clips, wanted):
    checks = []

    def check():
        checks.append(0)
        if len(checks) == most:
            raise LookupError

    most = 0
    read(clips("mp4"), check=check, **wanted)
    for most in (1, len(checks) // 2, len(checks)):
        checks.clear()
        with pytest.raises(LookupError):
            read(clips("mp4"), check=check, **wanted)
        assert len(checks) == most
    assert not [thread for thread in threading.enumerate() if thread.name == "emopy-prefetch"]


def test_closing_in_another_thread_ends_a_waiting_iteration(clips, tmp_path):
    path, done = tmp_path / "pipe", threading.Event()
    os.mkfifo(path)
    content = clips("mkv").read_bytes()

    def write():
        with path.open("wb", buffering=0) as pipe:
            pipe.write(content[: len(content) * 9 // 10])
            done.wait(20)

    writer = threading.Thread(target=write)
    writer.start()
    video = open_video(path)
    closer = threading.Timer(0.5, video.close)
    closer.start()
    began_s = time.monotonic()
    assert len(list(video)) >= 1
    assert time.monotonic() - began_s < 8
    closer.join()
    done.set()
    writer.join()


@pytest.mark.parametrize("fraction", [0.0, 0.9])
def test_a_pipe_without_a_writer_does_not_block(clips, tmp_path, fraction):
    """Neither at the opening, nor at the end after some frames."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    content = clips("mkv").read_bytes()
    code = (
        "import sys\nfrom emopy.media import open_video\n"
        "try:\n"
        "    print('begun', flush=True)\n"
        "    with open_video(sys.argv[1]) as video:\n"
        "        for frame in video: print(frame.number, flush=True)\n"
        "except KeyboardInterrupt:\n    print('stopped')\n"
    )
    words = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "begun\n"
            with path.open("wb", buffering=0) as pipe:
                pipe.write(content[: int(fraction * len(content))])
                if fraction:
                    assert process.stdout.readline() == "0\n"
                time.sleep(0.3)
                process.send_signal(signal.SIGINT)
                out, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    assert out.endswith("stopped\n")
    assert process.returncode == 0


def test_a_pipe_is_read(clips, tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    content = clips("mkv").read_bytes()
    writer = threading.Thread(target=path.write_bytes, args=(content,))
    writer.start()
    frames, _ = read(path, start_s=1)
    writer.join()
    assert [frame.number for frame in frames] == list(range(20, 60))


def test_a_start_after_the_end_of_a_pipe_is_an_error(clips, tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(clips("mkv").read_bytes(),))
    writer.start()
    with pytest.raises(InputError, match="`start_s` must lie before the last frame"):
        open_video(path, start_s=5)
    writer.join()


@pytest.mark.parametrize("name", ["12:30.mkv", "ä b%03d.mkv", "-x.mkv"])
def test_odd_names_are_paths(clips, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(clips("mkv").read_bytes())
    assert len(read(name, end_s=0.2)[0]) == 4


def test_metadata_of_another_encoding_are_no_obstacle(clip, tmp_path):
    path = clip(tmp_path / "a.mkv", times_ms=[0, 50])
    content = path.read_bytes()
    place = content.index(b"Lavf")
    path.write_bytes(content[:place] + b"\xe4\xff\xfe\xfc" + content[place + 4 :])
    assert len(read(path)[0]) == 2


@pytest.mark.parametrize(
    "version, expected",
    [
        ("14.1.0", {"container_options", "metadata_errors"}),
        ("18.1.0", {"options", "metadata_errors"}),
        ("19.0.2", {"options"}),
    ],
)
def test_each_version_of_pyav_gets_the_arguments_that_it_knows(version, expected):
    assert set(_version_settings({}, version)) == expected


def test_cover_art_is_no_video(tmp_path):
    sound = io.BytesIO()
    with wave.open(sound, "wb") as writer:
        writer.setparams((1, 2, 8000, 800, "NONE", ""))
        writer.writeframes(bytes(1600))
    path = tmp_path / "a.wav"
    path.write_bytes(sound.getvalue())
    with pytest.raises(InputError, match=r"without one, such as sound alone. Check that"):
        open_video(path)
    cover = io.BytesIO()
    Image.new("RGB", (32, 32)).save(cover, "PNG")
    record = tmp_path / "a.mp3"
    text = b"\0image/png\0\3\0" + cover.getvalue()
    tag = b"APIC" + struct.pack(">IH", len(text), 0) + text
    size = bytes(len(tag) >> shift & 0x7F for shift in (21, 14, 7, 0))
    silence = (b"\xff\xfb\x90\xc4" + bytes(413)) * 20
    record.write_bytes(b"ID3\3\0\0" + size + tag + silence)
    with pytest.raises(InputError, match="without one, such as sound alone"):
        open_video(record)


def content_of(clips, what):
    image = io.BytesIO()
    if what in {"JPEG", "PNG", "AVIF"}:
        Image.init()
        if what not in Image.SAVE:
            pytest.skip(f"this version of Pillow does not write {what}")
        Image.new("RGB", (64, 48), "red").save(image, what)
        return image.getvalue()
    whole = clips("mov").read_bytes()
    return {
        "empty": b"",
        "noise": np.random.default_rng(0).bytes(5000),
        "text": b"Not a video, just words.\n" * 20,
        "no index": whole[: len(whole) // 2],
    }[what]


@pytest.mark.parametrize(
    "what, suffix, message",
    [
        ("empty", "mp4", "`source` must hold a video. .* zero bytes. Copy or download"),
        ("noise", "mp4", "`source` must be a video .* not a video. Check that it is the file"),
        ("text", "txt", "`source` must be a video. .* a text. Check that it is the file"),
        ("JPEG", "jpg", "`source` must be a video. .* an image. Type: `FERModel..[.]predict[(]'"),
        ("JPEG", "mp4", "`source` must be a video. .* an image. Type: `FERModel..[.]predict[(]'"),
        ("PNG", "png", "`source` must be a video. .* an image. Type: `FERModel..[.]predict[(]'"),
        ("AVIF", "avif", "`source` must be a video. .* an image. Type: `FERModel..[.]predict[(]'"),
        ("no index", "mov", "has no index, .* Copy or download it again; .* untrunc"),
    ],
)
def test_a_file_that_is_no_video_is_described(clips, tmp_path, what, suffix, message, capfd):
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(content_of(clips, what))
    with pytest.raises(InputError, match=message) as error:
        open_video(path)
    assert repr(str(path)) in str(error.value)
    assert capfd.readouterr() == ("", "")


def test_a_file_without_decodable_frames_is_refused(clip, tmp_path, capfd):
    content = clip(tmp_path / "a.mp4", **FASTSTART).read_bytes()
    start = content.index(b"mdat") + 4
    path = tmp_path / "b.mp4"
    path.write_bytes(content[:start] + bytes(len(content) - start))
    with pytest.raises(InputError, match=r"no frame of it can be decoded. Copy or download"):
        open_video(path)
    assert capfd.readouterr() == ("", "")


def declaring(content, width, height):
    """A MOV file that declares the size of its frames, and holds none."""
    # ISO/IEC 14496-12, 12.1.3: width and height follow 24 bytes after the name of the encoding.
    size = content.index(b"jpeg", content.index(b"stsd")) + 28
    assert content[size : size + 4] == struct.pack(">HH", 160, 120)
    content = content[:size] + struct.pack(">HH", width, height) + content[size + 4 :]
    start = content.index(b"mdat") + 4
    return content[:start] + bytes(len(content) - start)


def test_a_video_without_pixels_is_refused(clip, tmp_path):
    path = clip(tmp_path / "a.mov", "mjpeg", **FASTSTART, ticks=20)
    content = declaring(path.read_bytes(), 0, 0)
    path = tmp_path / "b.mov"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"frames of at least one pixel, .* or copy or download"):
        open_video(path)


def test_frames_too_large_after_squaring_pixels_are_refused(clip, tmp_path):
    path = clip(tmp_path / "a.mov", "mjpeg", **FASTSTART, ticks=20, aspect=2)
    content = declaring(path.read_bytes(), 8000, 8000)
    path = tmp_path / "b.mov"
    path.write_bytes(content)
    message = r"at most 100 megapixels. Received .* of 16000 × 8000 = 128. Make its frames smaller."
    with pytest.raises(InputError, match=message):
        open_video(path)


@pytest.mark.parametrize("kind", ["gif", "mov"])
def test_too_large_frames_are_refused_before_they_are_allocated(clips, clip, tmp_path, kind):
    path = tmp_path / f"b.{kind}"
    if kind == "gif":
        content = clips("gif").read_bytes()
        assert content[6:10] == struct.pack("<HH", 160, 120)
        path.write_bytes(content[:6] + struct.pack("<HH", 12000, 12000) + content[10:])
    else:
        whole = clip(tmp_path / "a.mov", "mjpeg", **FASTSTART, ticks=20)
        path.write_bytes(declaring(whole.read_bytes(), 12000, 12000))
    with pytest.raises(InputError, match=r"at most 100 megapixels\b.* frames smaller"):
        open_video(path)


@pytest.mark.parametrize("kind", ["mp4", "gif", "mov"])
def test_a_limit_of_pixels_holds_for_the_frames_of_a_video(clips, kind):
    path = clips(kind)
    with open_video(path, max_pixels=160 * 120) as video:
        assert next(iter(video)).image.shape == (120, 160, 3)
    message = r"at most 0.019199 megapixels. Received .*160 × 120.* raise the limit: `max_pixels=1"
    with pytest.raises(InputError, match=message):
        open_video(path, max_pixels=160 * 120 - 1)


@pytest.mark.parametrize("size, error", [((320, 240), True), ((1600, 1200), False)])
def test_frames_that_grow_beyond_the_limit_are_not_converted(tmp_path, size, error):
    path = tmp_path / "growing.mjpeg"
    with path.open("wb") as file:
        for each in [(160, 120)] * 3 + [size] * 3:
            Image.new("RGB", each).save(file, "JPEG")
    with open_video(path, max_pixels=160 * 120) as video:
        frames = iter(video)
        assert [next(frames).image.shape[:2] for _ in range(3)] == [(120, 160)] * 3
        if error:
            with pytest.raises(InputError, match=r"at most 0.0192 megapixels. .* of 320 × 240"):
                next(frames)
        else:  # the decoder gives none
            assert next(frames, None) is None


@pytest.mark.parametrize("name", ["list.ffconcat", "list.m3u8", "list"])
@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile a.mp4\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\na.mp4\n#EXT-X-ENDLIST\n",
    ],
    ids=["concat", "hls"],
)
def test_a_list_of_files_does_not_open_them(clips, tmp_path, name, text):
    (tmp_path / "a.mp4").write_bytes(clips("mp4").read_bytes())
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match="`source` must be"):
        open_video(tmp_path / name)


def test_missing_paths_are_refused(tmp_path):
    for source, message in [
        (tmp_path / "none.mp4", "no such file. Check its spelling."),
        ("ftp://example.org/a.mp4", "Download it first"),
        (
            tmp_path,
            "or a folder of frames. Received the folder .* without an image. Give the path",
        ),
        ("", "no such file"),
        ("a\0b.mp4", "must be a readable file"),
        (True, "Received True. Type 0 for the first camera."),
        (None, "Received None. Type 0 for the first camera."),
        (1.5, "must be the path of a video or the number of a camera"),
    ]:
        with pytest.raises(InputError, match=message):
            open_video(source)


@pytest.mark.parametrize(
    "wanted, message",
    [
        ({"every": 0}, "`every` must be a whole number from 1. Received 0."),
        ({"every": 1.5}, "`every` must be a whole number"),
        ({"every": "2"}, "`every` must be a whole number from 1. Received '2'. Type `every=1`"),
        ({"every": None}, "`every` must be a whole number"),
        ({"every": float("nan")}, "`every` must be a whole number"),
        ({"every": float("inf")}, "`every` must be a whole number"),
        ({"every": 10**400}, "`every` must be a whole number"),
        ({"fps": 0}, "`fps` must be a positive number"),
        ({"fps": float("nan")}, "`fps` must be a positive number"),
        ({"fps": 1e308}, "`fps` must be a positive number .* at most 1000000. Received 1e"),
        ({"fps": "5"}, "`fps` must be a positive number .* Received '5'. Leave it out"),
        ({"every": 2, "fps": 5}, "must not both be given. Received 2 and 5. Leave one"),
        ({"start_s": -1}, "`start_s` must be a time from 0"),
        ({"start_s": None}, "`start_s` must be a time from 0, .* Received None. Leave it out"),
        ({"start_s": "1"}, "`start_s` must be a time from 0"),
        ({"start_s": float("nan")}, "`start_s` must be a time from 0"),
        ({"start_s": 1e300}, "`start_s` must lie before the last frame"),
        ({"end_s": "2"}, "`end_s` must be later than `start_s`, 0 s. Received '2'. Leave it out"),
        ({"end_s": float("nan")}, "`end_s` must be later than `start_s`"),
        ({"end_s": 10**400}, "`end_s` must be later than `start_s`"),
        ({"start_s": 2, "end_s": 2}, "`end_s` must be later than `start_s`, 2 s. Received 2."),
        (
            {"start_s": 99},
            "`start_s` must lie before the last frame. Received 99; .* is [0-9.]+ s long. Give",
        ),
    ],
)
def test_settings_out_of_range_are_refused(clips, wanted, message):
    with pytest.raises(InputError, match=message):
        open_video(clips("mp4"), **wanted)


def test_without_the_extra_the_error_names_what_to_install(clips):
    code = (
        "import sys; sys.modules['av'] = None\n"
        "from emopy.media import open_video\n"
        f"open_video({str(clips('mp4'))!r})"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (
        "Reading video files: the extra `video` must be installed. Type: pip install" in run.stderr
    )
    assert "pip install 'emopy[video]'" in run.stderr
