"""`emopy video`, `webcam` and `predict` on folders of frames, addresses and animations."""

import csv
import http.server
import json
import threading

import numpy as np
import pytest
from PIL import Image

from emopy.cli.main import main
from emopy.present import VideoSink
from emopy.types import ImageResult

QUICK = ("--detector", "full-image", "--model", "emopy-tiny")


@pytest.fixture
def frames(astronaut, tmp_path):
    """A folder of six frames, the fourth damaged."""
    folder = tmp_path / "frames"
    folder.mkdir()
    for place in range(6):
        Image.fromarray(astronaut[:256, 100:356]).save(folder / f"{place + 8}.jpg")
    (folder / "11.jpg").write_bytes(b"no image")
    return folder


def rows_of(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_folder_of_frames_is_a_video_and_bad_frames_are_listed(frames, tmp_path, capsys):
    out, drawn = tmp_path / "out.csv", tmp_path / "drawn.mp4"
    words = ["video", str(frames), "--fps", "10", "--out", str(out), "--draw", str(drawn), *QUICK]
    assert main(words) == 0
    err = capsys.readouterr().err
    assert f"{str(frames / '11.jpg')!r}" in err
    assert "1 damaged frame was skipped" in err
    assert err.startswith(
        f"emopy: {frames}: 6 images are read as the frames of one video at 10 frames per second. "
        f"For separate photos type: emopy predict {frames}\n"
    )
    rows = rows_of(out)
    assert [row["frame"] for row in rows] == ["0", "1", "2", "4", "5"]
    assert [float(row["time_s"]) for row in rows] == [0, 0.1, 0.2, 0.4, 0.5]
    assert {row["source"] for row in rows} == {str(frames)}
    assert drawn.stat().st_size


def test_images_of_another_size_are_skipped_with_exit_code_1(frames, tmp_path, capsys):
    Image.new("RGB", (300, 200)).save(frames / "11.jpg")
    words = ["video", str(frames), "--summary", str(tmp_path / "summaries"), *QUICK]
    for _ in range(2):  # the second time it is finished already
        assert main(words) == 1
        err = capsys.readouterr().err
        assert f"{frames}: 1 image of another size was skipped." in err
        assert "damaged" not in err


def test_an_image_given_as_a_video_is_to_be_predicted(astronaut, tmp_path, capsys):
    path = tmp_path / "a (1).png"
    Image.fromarray(astronaut[:99, :99]).save(path)
    assert main(["video", str(path), *QUICK]) == 1
    assert capsys.readouterr().err.endswith(f": an image. Type: emopy predict '{path}'\n")


def test_outputs_of_a_folder_are_made_again_after_its_frames_change(frames, tmp_path, capsys):
    words = ["video", str(frames), "--out", str(tmp_path / "tables"), *QUICK]
    assert main(words) == 0
    assert main(words) == 0
    assert "is finished already" in capsys.readouterr().err
    (frames / "14.jpg").write_bytes((frames / "8.jpg").read_bytes())
    assert main(words) == 2
    assert "another version of the video" in capsys.readouterr().err


@pytest.fixture
def address(astronaut, tmp_path):
    """The address of a video of half a second on a server of this machine."""
    folder = tmp_path / "served"
    with VideoSink(folder / "clip.mkv", size=(256, 256)) as sink:
        for place in range(5):
            image = np.ascontiguousarray(astronaut[:256, 100:356])
            sink.write(image, ImageResult("", (256, 256), (), place / 10))

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *words):
            super().__init__(*words, directory=str(folder))

        def log_message(self, *words):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/clip.mkv"
        server.shutdown()


def test_an_address_is_a_video(address, tmp_path, capsys):
    tables = tmp_path / "tables"
    secret = address.replace("//", "//user:s3cret@")
    assert main(["video", f"{secret}?a=1", "--out", str(tables), *QUICK]) == 0
    rows = rows_of(tables / "clip.csv")
    assert [row["frame"] for row in rows] == ["0", "1", "2", "3", "4"]
    assert {row["source"] for row in rows} == {f"{address}?a=1"}
    assert main(["video", f"{secret}x", *QUICK]) == 1
    captured = capsys.readouterr()
    assert "HTTP 404" in captured.err
    assert "s3cret" not in captured.err + captured.out


def test_an_address_takes_the_place_of_a_camera(address, tmp_path, capsys):
    out = tmp_path / "out.jsonl"
    assert main(["webcam", address, "--view", "terminal", "--out", str(out), *QUICK]) == 0
    results = [json.loads(line) for line in out.read_text().splitlines()]
    assert results
    assert {result["source"] for result in results} == {address}
    assert main(["webcam", f"{address}x", "--view", "terminal", *QUICK]) == 2
    assert "HTTP 404" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "avif"])
def test_an_animation_is_a_video_and_its_first_frame_an_image(astronaut, tmp_path, capsys, suffix):
    if suffix not in {name.lstrip(".") for name in Image.registered_extensions()}:
        pytest.skip(f"this version of Pillow does not write {suffix}")
    path = tmp_path / f"a.{suffix}"
    images = [Image.fromarray(astronaut[place : place + 200, 120:320]) for place in range(4)]
    images[0].save(path, save_all=True, append_images=images[1:], duration=100)
    assert main(["predict", str(path), *QUICK]) == 0
    assert f"{path}: its first frame. For all: emopy video {path}" in capsys.readouterr().err
    out = tmp_path / "out.csv"
    assert main(["video", str(path), "--out", str(out), *QUICK]) == 0
    assert [row["frame"] for row in rows_of(out)] == ["0", "1", "2", "3"]
    images[0].save(path)
    assert main(["predict", str(path), *QUICK]) == 0
    assert "first frame" not in capsys.readouterr().err


def test_a_narrow_video_is_drawn(tmp_path, capsys):
    path, drawn = tmp_path / "narrow.mkv", tmp_path / "drawn.mp4"
    with VideoSink(path, size=(2000, 16)) as sink:
        sink.write(np.zeros((16, 2000, 3), np.uint8), ImageResult("", (2000, 16), (), 0.0))
    assert main(["video", str(path), "--draw", str(drawn), *QUICK]) == 0
    assert drawn.stat().st_size
