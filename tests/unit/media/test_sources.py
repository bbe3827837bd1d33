"""Addresses, folders of frames and animated WebP as videos. All servers are on this machine."""

import http.server
import itertools
import socket
import socketserver
import struct
import threading
import time
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from emopy.errors import InputError
from emopy.media import addresses, cameras, open_video
from emopy.media.addresses import without_password


@pytest.fixture(scope="module")
def folder(clip, tmp_path_factory):
    """A folder that is served: an MP4, an MKV, an MPEG-TS, a page."""
    folder = tmp_path_factory.mktemp("served")
    clip(folder / "a.mp4", format_options={"movflags": "faststart"})
    clip(folder / "a.mkv")
    clip(folder / "a.ts", times_ms=range(0, 1000, 50))
    (folder / "page.html").write_text("<html><body>A page</body></html>")
    (folder / "list.m3u8").write_text("#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n")
    return folder


@pytest.fixture(scope="module")
def web(folder):
    """The address of an HTTP server that serves the folder, and asks for a password in /secret."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *words):
            super().__init__(*words, directory=str(folder))

        def do_GET(self):
            if self.path.startswith("/secret"):
                if "Authorization" not in self.headers:
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", 'Basic realm="here"')
                    self.end_headers()
                    return
                self.path = self.path.removeprefix("/secret")
            if self.path == "/broken":
                self.send_error(503)
                return
            super().do_GET()

        def log_message(self, *words):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def read(source, **wanted):
    with open_video(source, **wanted) as video:
        return list(video), video


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mp4?part=1"])
def test_an_http_address_is_read_like_a_file(web, name, place_shown):
    frames, video = read(f"{web}/{name}")
    assert [place_shown(frame.image) for frame in frames] == list(range(60))
    assert [frame.number for frame in frames] == list(range(60))
    assert (video.source, video.is_live, video.shortfall) == (f"{web}/{name}", False, "")
    frames, _ = read(f"{web}/{name}", start_s=1.5)
    assert [frame.number for frame in frames] == list(range(30, 60))


def test_a_password_is_sent_and_never_shown(web, place_shown):
    address = web.replace("//", "//user:s3cret@") + "/secret/a.mkv"
    frames, video = read(address, end_s=0.2)
    assert [place_shown(frame.image) for frame in frames] == [0, 1, 2, 3]
    assert video.source == f"{web}/secret/a.mkv"
    with pytest.raises(InputError, match="HTTP 404") as error:
        open_video(address + "none")
    assert "s3cret" not in str(error.value)
    assert "user" not in str(error.value)


@pytest.mark.parametrize(
    "path, message",
    [
        ("none.mp4", r"there is nothing at this address \(HTTP 404\). Check the address"),
        ("secret/a.mp4", r"user name or password are missing or wrong \(HTTP 401\)"),
        ("broken", r"the server fails \(HTTP 5xx\)"),
        ("page.html", "not a video. Give the address of the video itself, not of a page"),
        ("list.m3u8", "`source` must be"),
    ],
)
def test_an_address_without_a_video_is_described(web, path, message, capfd):
    with pytest.raises(InputError, match=message) as error:
        open_video(f"{web}/{path}")
    assert f"{web}/{path}" in str(error.value)
    assert capfd.readouterr() == ("", "")


def test_a_refused_connection_is_one_sentence():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for scheme in ("http", "rtsp", "tcp"):
        with pytest.raises(InputError, match=r"the connection was refused. Check the address and"):
            open_video(f"{scheme}://127.0.0.1:{port}/a.mp4")


def test_a_server_that_does_not_answer_is_given_up(monkeypatch):
    monkeypatch.setattr(addresses, "TIMEOUT_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        for scheme in ("http", "rtsp"):
            began_s = time.monotonic()
            with pytest.raises(InputError, match=r"no answer within 0\.5 seconds"):
                open_video(f"{scheme}://127.0.0.1:{port}/a.mp4")
            assert time.monotonic() - began_s < 5


def test_a_transfer_that_stops_is_reported(folder, monkeypatch):
    monkeypatch.setattr(addresses, "TIMEOUT_S", 1.0)
    content = (folder / "a.mp4").read_bytes()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(4096)
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\n\r\n"
            self.request.sendall(head.encode() + content[: len(content) * 6 // 10])
            time.sleep(3)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        frames, video = read(f"http://127.0.0.1:{server.server_address[1]}/a.mp4")
        server.shutdown()
    assert 10 < len(frames) < 50
    assert video.truncated


class Camera(socketserver.BaseRequestHandler):
    """An RTSP camera: MPEG-TS in RTP over the same connection, in real time.

    It closes each connection after its content, and those for which it has none at once.
    """

    contents = iter(())

    def handle(self):
        self.content = next(Camera.contents, None)
        if self.content is None:
            return
        while request := self.request.recv(4096).decode():
            words = request.split()
            if self.answer(words[0], request.lower().split("cseq:")[1].split()[0]):
                return

    def answer(self, verb, number):
        sdp = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\nm=video 0 RTP/AVP 33\r\n"
        lines = {
            "OPTIONS": ["Public: OPTIONS, DESCRIBE, SETUP, PLAY"],
            "DESCRIBE": ["Content-Type: application/sdp", f"Content-Length: {len(sdp)}"],
            "SETUP": ["Transport: RTP/AVP/TCP;unicast;interleaved=0-1", "Session: 1"],
        }.get(verb, ["Session: 1"])
        body = sdp if verb == "DESCRIBE" else ""
        head = "\r\n".join([f"RTSP/1.0 200 OK\r\nCSeq: {number}", *lines])
        self.request.sendall(f"{head}\r\n\r\n{body}".encode())
        if verb == "PLAY":
            size = 7 * 188
            for place in range(0, len(self.content), size):
                packet = struct.pack(">BBHII", 0x80, 33, place // size & 0xFFFF, place, 1)
                packet += self.content[place : place + size]
                self.request.sendall(struct.pack(">cBH", b"$", 0, len(packet)) + packet)
                time.sleep(0.002)
        return verb == "PLAY"


@pytest.fixture
def camera(folder, monkeypatch):
    monkeypatch.setattr(cameras, "RECONNECT_S", 0.7)
    Camera.contents = iter([(folder / "a.ts").read_bytes()])
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Camera) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"rtsp://user:s3cret@127.0.0.1:{server.server_address[1]}/live"
        server.shutdown()


def test_an_rtsp_camera_is_read_like_a_camera(camera, place_shown):
    frames, video = read(camera)
    assert (video.is_live, video.size) == (True, (160, 120))
    assert "s3cret" not in video.source
    assert video.source.startswith("rtsp://127.0.0.1:")
    assert 1 <= len(frames) <= 20
    places = [place_shown(frame.image) for frame in frames]
    assert places == sorted(places)
    assert all(before.time_s < after.time_s for before, after in itertools.pairwise(frames))
    assert video.truncated
    assert "the connection was lost, and could not be made again" in video.shortfall


def test_a_lost_connection_to_a_camera_is_made_again(camera, folder, caplog):
    Camera.contents = iter([(folder / "a.ts").read_bytes()] * 2)
    frames, video = read(camera)
    assert caplog.text.count("the connection was lost. Connecting again") == 2
    assert "s3cret" not in caplog.text
    numbers, times = ([getattr(frame, name) for frame in frames] for name in ("number", "time_s"))
    assert numbers == sorted(set(numbers))
    assert times == sorted(set(times))
    assert max(numbers) >= 20  # of the second connection: each has 20 frames
    assert video.truncated


def test_a_camera_that_comes_back_with_another_size_ends(camera, folder, clip, caplog):
    clip(folder / "wide.ts", times_ms=range(0, 1000, 50), aspect=Fraction(2))
    Camera.contents = iter([(folder / name).read_bytes() for name in ("a.ts", "wide.ts")])
    frames, video = read(camera)
    assert {frame.image.shape for frame in frames} == {(120, 160, 3)}
    assert video.truncated
    assert caplog.text.count("Connecting again") == 1


@pytest.mark.parametrize(
    "source, name",
    [
        ("rtsp://user:pass@host:554/live?x=1", "rtsp://host:554/live?x=1"),
        ("http://host/a@b.mp4", "http://host/a@b.mp4"),
        ("RTSP://u:p@w@host/", "RTSP://host/"),
        ("rtsp://user:pa/ss@host/live", "rtsp://host/live"),
        ("http://host:8080/a@b.mp4", "http://host:8080/a@b.mp4"),
        ("http://[::1]:80/a@b.mp4", "http://[::1]:80/a@b.mp4"),
        ("http://u:p@host/x?mail=a@b", "http://host/x?mail=a@b"),
        (
            "http://cam/video.cgi?id=5&user=admin&Password=se=cret&fps=2",
            "http://cam/video.cgi?id=5&user=…&Password=…&fps=2",
        ),
        ("folder/user:a@b.mp4", "folder/user:a@b.mp4"),
    ],
)
def test_names_of_addresses_hold_no_password(source, name):
    assert without_password(source) == name


@pytest.fixture
def frames_folder(tmp_path):
    """A folder of 12 frames, named without zeros in front, and other files."""
    folder = tmp_path / "frames"
    folder.mkdir()
    for place in range(12):
        Image.new("RGB", (40, 30), (20 * place, 0, 0)).save(folder / f"img{place}.png")
    (folder / "sound.wav").write_bytes(b"RIFF")
    (folder / ".hidden.png").write_bytes(b"")
    return folder


def red(frames):
    return [int(frame.image[0, 0, 0]) // 20 for frame in frames]


def test_a_folder_of_frames_is_read_in_natural_order_at_its_rate(frames_folder):
    frames, video = read(frames_folder)
    assert red(frames) == list(range(12))
    assert [frame.number for frame in frames] == list(range(12))
    assert [frame.time_s for frame in frames] == pytest.approx(np.arange(12) / 25)
    assert (video.size, video.frames, video.fps) == ((40, 30), 12, 25)
    assert (video.source, video.shortfall, video.is_live) == (str(frames_folder), "", False)
    frames, video = read(frames_folder, fps=4, start_s=1.0, end_s=2.0)
    assert red(frames) == [4, 5, 6, 7]
    assert [frame.time_s for frame in frames] == [1.0, 1.25, 1.5, 1.75]
    assert (video.frames, video.duration_s, video.fps) == (4, 3.0, 4)
    assert red(read(frames_folder, every=5)[0]) == [0, 5, 10]
    assert read(frames_folder, start_s=0.081, end_s=0.1)[0] == []


def test_the_limit_of_pixels_applies_to_the_frames_of_folders_and_animations(
    frames_folder, animation
):
    Image.new("RGB", (50, 30)).save(frames_folder / "img5.png")
    frames, video = read(frames_folder, max_pixels=1200)
    assert len(frames) == 11
    (failed,) = video.failed
    assert str(failed.error).endswith("or raise the limit: `max_pixels=1500`")
    assert len(read(animation, max_pixels=1200)[0]) == 6
    with pytest.raises(InputError, match=r"raise the limit: `max_pixels=1200`$"):
        open_video(animation, max_pixels=1199)


def test_bad_frames_of_a_folder_are_listed_and_leave_a_gap(frames_folder):
    (frames_folder / "img0.png").write_bytes(b"no image")
    (frames_folder / "img5.png").write_bytes((frames_folder / "img6.png").read_bytes()[:50])
    Image.new("RGB", (41, 30)).save(frames_folder / "img7.png")
    frames, video = read(frames_folder)
    assert red(frames) == [1, 2, 3, 4, 6, 8, 9, 10, 11]
    assert [frame.number for frame in frames] == red(frames)
    assert video.skipped == 3
    assert [failed.source for failed in video.failed] == [
        str(frames_folder / f"img{place}.png") for place in (0, 5, 7)
    ]
    assert "of one size, here 40 × 30. Received" in str(video.failed[2].error)
    assert "2 damaged frames and 1 image of another size were skipped" in video.shortfall


def test_folders_that_are_no_video_are_refused(frames_folder, tmp_path):
    for image in frames_folder.glob("img*"):
        image.write_bytes(b"no image")
    with pytest.raises(InputError, match=r"images that can be read. .*: none can. The first one"):
        open_video(frames_folder)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match=r"or a folder of frames. .* Give the path of a video"):
        open_video(empty)


def test_a_start_after_the_last_frame_of_a_folder_is_refused(frames_folder):
    with pytest.raises(InputError, match=r"before the last frame. Received 9; .* is 0\.5 s long."):
        open_video(frames_folder, start_s=9)


def test_images_of_another_size_are_not_called_damaged(frames_folder):
    for place in (3, 7):
        Image.new("RGB", (41, 30)).save(frames_folder / f"img{place}.png")
    assert read(frames_folder)[1].shortfall == (
        f"{frames_folder}: 2 images of another size were skipped."
    )
    (frames_folder / "img5.png").write_bytes(b"no image")
    video = read(frames_folder)[1]
    assert (video.skipped, video.other_sizes) == (3, 2)
    assert "1 damaged frame and 2 images of another size were skipped." in video.shortfall


@pytest.fixture
def animation(tmp_path):
    """An animated WebP of 6 frames, each shown 100 ms longer than the one before."""
    path = tmp_path / "a.webp"
    images = [Image.new("RGB", (40, 30), (40 * place, 0, 9)) for place in range(6)]
    durations = [100 * place + 100 for place in range(6)]
    images[0].save(path, save_all=True, append_images=images[1:], duration=durations, lossless=True)
    return path


def test_an_animated_webp_is_read_with_its_times(animation):
    frames, video = read(animation)
    assert [frame.image[0, 0, 0] // 40 for frame in frames] == list(range(6))
    times_s = [0, 0.1, 0.3, 0.6, 1.0, 1.5]
    assert [frame.time_s for frame in frames] == pytest.approx(times_s)
    assert (video.frames, video.duration_s, video.size) == (6, pytest.approx(2.1), (40, 30))
    frames, _ = read(animation, start_s=0.55)
    assert [(frame.number, frame.image[0, 0, 0]) for frame in frames] == [
        (3, 120),
        (4, 160),
        (5, 200),
    ]


def test_frames_of_an_animated_webp_that_are_passed_over_can_end_the_reading(tmp_path):
    path = tmp_path / "a.webp"
    images = [Image.new("RGB", (40, 30), (4 * place, 0, 9)) for place in range(60)]
    images[0].save(path, save_all=True, append_images=images[1:], duration=40, lossless=True)
    checks = []
    frames, _ = read(path, every=50, check=lambda: checks.append(0))
    assert [frame.image[0, 0, 0] // 4 for frame in frames] == [0, 50]
    assert len(checks) == 6

    def refuse():
        raise LookupError

    with open_video(path, every=50, check=refuse) as video, pytest.raises(LookupError):
        list(video)


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_a_damaged_animated_webp_gives_its_frames_or_an_error(animation, kept):
    content = animation.read_bytes()
    animation.write_bytes(content[: int(len(content) * kept)])
    try:
        frames, video = read(animation)
    except InputError as error:
        assert "damaged or truncated" in str(error)  # noqa: PT017
    else:
        assert video.skipped or len(frames) < 6


def test_a_still_webp_is_an_image(tmp_path):
    Image.new("RGB", (40, 30)).save(tmp_path / "a.webp")
    with pytest.raises(InputError, match=r"an image. Type: `FERModel..[.]predict[(]"):
        open_video(tmp_path / "a.webp")
