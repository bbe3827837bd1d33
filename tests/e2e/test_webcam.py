"""The live view from end to end: a video takes the place of the camera."""

import csv
import itertools
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time

import cv2
import pytest

from emopy import FERModel
from emopy.cli.main import main
from emopy.cli.webcam import webcam
from emopy.fermodel import SMOOTHING_S
from emopy.labels import STANDARD_EMOTIONS
from emopy.live import Page, show_live
from emopy.samples import Actor, scene

PHONE = {"width": 320, "height": 640, "deviceScaleFactor": 2, "mobile": True}


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Two seconds of a happy face that walks through the image, as a Motion JPEG video."""
    path = tmp_path_factory.mktemp("videos") / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (320, 240))
    walk = Actor(path=((0, 90, 120, 110), (2, 230, 120, 110)))
    for frame, _ in scene([walk], size=(320, 240), seconds=2.0):
        writer.write(frame.image[:, :, ::-1])
    writer.release()
    return path


class Running:
    """`emopy webcam` in a process of its own."""

    def __init__(self, *words):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "emopy", "webcam", *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def address(self):
        line = self.line(self.process.stderr)
        return re.search(r"http://127\.0\.0\.1:\d+/\S+/", line).group()

    def line(self, stream):
        assert select.select([stream], [], [], 30)[0], "nothing was said"
        return stream.readline()

    def end(self):
        """Exit code, and what was said since."""
        out, err = self.process.communicate(timeout=90)
        return self.process.returncode, out, err


@pytest.fixture
def run():
    started = []

    def start(*words):
        started.append(Running(*words))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.communicate()


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


SEEN = "[...document.querySelectorAll('#faces .name')].map(name => name.textContent).join()"
LOOK = """(() => {
    const image = document.getElementById("image");
    const dots = image.getContext("2d").getImageData(0, 0, image.width, image.height).data;
    return dots.reduce((sum, dot, place) => (sum * 31 + dot * (place % 7 + 1)) % 1000003, 0);
})()"""


def test_a_browser_shows_frames_and_emotions_and_its_stop_button_ends_the_run(
    clip, run, tab, tmp_path
):
    table = tmp_path / "table.csv"
    running = run(clip, "--loop", "--view", "page", "--out", table)
    tab.open(running.address())
    tab.wait("document.body?.dataset.state === 'live'")
    looks = set()
    while len(looks) < 3:
        before = tab.ask("document.body.dataset.frames")
        tab.wait(f"document.body.dataset.frames > {before}")
        looks.add(tab.ask(LOOK))
    tab.wait(f"{SEEN} === 'happiness'")
    names = tab.ask("document.getElementById('faces').innerText").split()
    assert set(STANDARD_EMOTIONS) <= set(names)
    assert re.fullmatch(r"\d+: happiness", tab.ask("document.getElementById('boxes').ariaLabel"))
    assert tab.ask(LOOK.replace('"image"', '"boxes"')) > 0  # something is drawn over the image
    tab.wait("Number(document.getElementById('fps').textContent) > 0")
    assert re.fullmatch(r"\d+ ms", tab.ask("document.getElementById('latency').textContent"))
    tab.ask("document.getElementById('stop').click()")
    tab.wait("document.body.dataset.state === 'ended'")
    code, out, err = running.end()
    assert (code, out) == (0, "")
    assert f"recorded in {table}" in err
    assert "happiness" in {row["emotion"] for row in rows(table)}


def test_a_browser_finds_nothing_wrong_with_the_page_also_at_the_width_of_a_phone(tab):
    tab.send("Emulation.setDeviceMetricsOverride", **PHONE)
    frames = itertools.cycle(frame for frame, _ in scene([], size=(160, 120), seconds=0.2))
    with Page() as page:
        tab.open(page.address)
        for _ in itertools.islice(show_live(FERModel(), frames, page), 5):
            time.sleep(0.02)
        tab.wait("document.getElementById('faces')?.dataset.found === 'none'")
        assert "No face in the image." in tab.ask("document.querySelector('main').innerText")
        assert tab.ask("document.documentElement.scrollWidth") <= PHONE["width"]
        tab.wait("document.getElementById('status').textContent === 'no face'")
        assert tab.complaints == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_ctrl_c_and_a_closed_terminal_are_good_ends_that_keep_the_recording(
    number, clip, run, tmp_path
):
    table = tmp_path / "table.csv"
    running = run(clip, "--loop", "--view", "terminal", "--out", table)
    assert re.search(r"1 happiness \d+ %|no face", running.line(running.process.stdout))
    assert not table.exists()  # it appears when it is whole
    running.process.send_signal(number)
    code, _, err = running.end()
    assert code == 0
    (count,) = re.findall(r"^emopy: (\d+) frames? recorded in", err, re.MULTILINE)
    assert len({row["frame"] for row in rows(table)}) == int(count) >= 1
    assert list(tmp_path.iterdir()) == [table]


def test_ctrl_c_keeps_the_recording_also_where_no_frame_comes_any_more(clip, run, tmp_path):
    table, pipe = tmp_path / "table.csv", tmp_path / "pipe"
    os.mkfifo(pipe)
    running = run(pipe, "--view", "terminal", "--out", table)
    with pipe.open("wb", buffering=0) as writer:
        content = clip.read_bytes()
        writing = threading.Thread(target=writer.write, args=(content[: len(content) * 3 // 4],))
        writing.start()
        running.line(running.process.stdout)
        writing.join()
        time.sleep(1.5)  # all that came has been shown
        running.process.send_signal(signal.SIGINT)
        code, _, err = running.end()
    assert code == 0
    assert f"recorded in {table}" in err
    assert rows(table)


def test_a_reader_of_the_terminal_view_that_goes_away_ends_it_like_stop(clip, run, tmp_path):
    table = tmp_path / "table.csv"
    running = run(clip, "--loop", "--view", "terminal", "--out", table)
    running.line(running.process.stdout)
    running.process.stdout.close()
    running.process.stdout = None
    code, _, err = running.end()
    assert code == 0
    assert re.fullmatch(rf"emopy: \d+ frames recorded in {re.escape(str(table))}\.\n", err)
    assert rows(table)


def test_an_existing_recording_is_replaced_only_on_request(clip, linear_model, tmp_path, capsys):
    table = tmp_path / "table.csv"
    table.write_text("precious", encoding="utf-8")
    quick = ["--view", "terminal", "--model", str(linear_model), "--detector", "full-image"]
    assert main(["webcam", "--camera", "97", "--out", str(table), *quick]) == 2
    assert "exists. Choose another name, or add --overwrite." in capsys.readouterr().err
    assert table.read_text(encoding="utf-8") == "precious"
    assert main(["webcam", str(clip), "--overwrite", "--out", str(table), *quick]) == 0
    assert rows(table)


def test_a_truncated_video_is_reported_with_exit_code_1(clip, linear_model, tmp_path, capsys):
    cut = tmp_path / "cut.avi"
    content = clip.read_bytes()
    cut.write_bytes(content[: len(content) * 6 // 10])
    words = ["--view", "terminal", "--model", str(linear_model), "--detector", "full-image"]
    assert main(["webcam", str(cut), *words]) == 1
    assert f"emopy: {cut}: the file ends too early" in capsys.readouterr().err


def test_a_source_that_ends_is_reported_and_no_error(clip, linear_model, capsys):
    words = ["--view", "terminal", "--model", str(linear_model), "--detector", "full-image"]
    assert main(["webcam", str(clip), *words]) == 0
    out, err = capsys.readouterr()
    assert 2 <= len(out.splitlines()) <= 4
    assert re.fullmatch(rf"emopy: \d+ frames\. {re.escape(str(clip))} has ended\.\n", err)


def test_it_stops_after_so_many_seconds(clip, linear_model, capsys):
    words = ["--view", "terminal", "--model", str(linear_model), "--detector", "full-image"]
    began_s = time.monotonic()
    assert main(["webcam", str(clip), "--loop", "--seconds", "0.5", *words]) == 0
    assert time.monotonic() - began_s < 10
    assert "ended" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "words, said",
    [
        (["--camera", "97"], "no such camera"),
        (["none.mp4"], "none.mp4"),
        (["none.mp4", "--camera", "0"], "FILE must not be given with --camera"),
        (["clip.avi", "--out", "clip.avi"], "--out must not be FILE"),
        (["--view", "mirror"], "mirror"),
        (["--seconds", "0"], "seconds"),
        (["--seconds", "nan"], "--seconds must be a number above 0. Received nan. Leave it out"),
        (["--loop"], "--loop must be given with FILE"),
        (["--loop", "--camera", "97"], "--loop must be given with FILE"),
    ],
)
def test_a_wrong_call_says_what_to_type(words, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["webcam", *words]) == 2
    assert said in capsys.readouterr().err


def test_the_smoothing_offered_is_that_of_the_model():
    (option,) = [option for option in webcam.params if option.name == "smoothing_s"]
    assert option.default == SMOOTHING_S
