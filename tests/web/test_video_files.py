"""Video files in a real browser, as `predictVideo` takes their frames."""

from pathlib import Path

import numpy as np
import pytest

from emopy.media import open_video
from tests.orientation import turned

av = pytest.importorskip("av")

DIST = Path(__file__).parents[2] / "web" / "dist"
SIDE = 240
"""Width and height of the videos, in pixels."""

BACK = {
    90: np.rot90,
    180: lambda image: np.rot90(image, 2),
    270: lambda image: np.rot90(image, 3),
    "mirrored": np.fliplr,
}
"""How to turn an image that a display matrix turns upright again."""

FPS = 10
"""Frames per second that are taken; the videos have 25, and last a second."""

PREDICT = """async ([name, fps]) => {
  const { FERModel } = await import("/dist/emopy.js");
  const file = await (await fetch(`/${name}`)).blob();
  const model = await FERModel.load({ model: "emopy-tiny" });
  const ending = new AbortController();
  globalThis.abortSoon = () => setTimeout(() => ending.abort(), 100);
  const results = [];
  const read = async () => {
    const settings = { fps, signal: ending.signal };
    for await (const result of model.predictVideo(file, settings)) results.push(result);
  };
  const tooLate = new Promise((resolve) => setTimeout(resolve, 30_000, "never ended"));
  const error = await Promise.race([read().then(() => null, String), tooLate]);
  model.close();
  return { results, error };
}"""

WATCH = """() => {
  globalThis.freed = [];
  const { revokeObjectURL } = URL;
  URL.revokeObjectURL = (url) => {
    freed.push(url);
    revokeObjectURL(url);
  };
  const { createElement } = Document.prototype;
  document.createElement = (name) => (globalThis.video = createElement.call(document, name));
}"""
"""Keeps the URLs that are freed, and the element of the video."""

STALLS = {
    "opened": """() => {
      const { createObjectURL } = URL;
      URL.createObjectURL = () => {
        abortSoon();
        return createObjectURL(new MediaSource()); // it waits for data
      };
    }""",
    "read": """() => {
      const { prototype } = HTMLMediaElement;
      const { get, set } = Object.getOwnPropertyDescriptor(prototype, "currentTime");
      const jump = function (time_s) {
        if (time_s === 0) set.call(this, time_s);
        else abortSoon();
      };
      Object.defineProperty(prototype, "currentTime", { get, set: jump });
    }""",
}
"""Where a video stands still, and is aborted then."""

pytestmark = pytest.mark.usefixtures("node")


@pytest.fixture(scope="module")
def images(clip_file):
    """One second of a happy face that walks through square images."""
    with open_video(clip_file) as video:
        return [frame.image[:, :SIDE] for frame in video]


def write_video(path, images):
    """Write an MP4 file whose index comes first: it can be opened where its end is missing."""
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libvpx-vp9", rate=25, options={"deadline": "realtime"})
        stream.width, stream.height, stream.pix_fmt = SIDE, SIDE, "yuv420p"
        for image in images:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.fixture
def tab(opened, tmp_path):
    """A page beside the built package and the files of the folder of the test."""
    (tmp_path / "index.html").write_text("<!doctype html><title>Videos</title>", encoding="utf-8")
    (tmp_path / "dist").symlink_to(DIST)
    tab = opened(tmp_path)
    tab.evaluate(WATCH)
    return tab


def predict(tab, path):
    """The results of a video of the folder, and why they ended early."""
    done = tab.evaluate(PREDICT, [path.name, FPS])
    return done["results"], done["error"]


def is_freed(tab):
    """Whether nothing is left of the last video that was opened."""
    session = tab.context.new_cdp_session(tab)
    video = session.send("Runtime.evaluate", {"expression": "video"})["result"]["objectId"]
    listening = session.send("DOMDebugger.getEventListeners", {"objectId": video})["listeners"]
    return not listening and tab.evaluate("freed.length === 1 && !video.hasAttribute('src')")


@pytest.mark.parametrize("how", BACK)
def test_a_video_that_is_turned_when_it_is_shown_gets_the_results_of_an_upright_one(
    tab, images, tmp_path, how
):
    expected, error = predict(tab, write_video(tmp_path / "upright.mp4", images))
    assert error is None
    path = write_video(tmp_path / "turned.mp4", map(BACK[how], images))
    path.write_bytes(turned(path.read_bytes(), how))
    results, error = predict(tab, path)
    assert error is None
    assert len(results) == len(expected) == FPS
    for result, upright in zip(results, expected, strict=True):
        (face,), (other,) = result["faces"], upright["faces"]
        for edge, pixels in other["box"].items():
            assert face["box"][edge] == pytest.approx(pixels, abs=6)
        assert face["emotion"] == "happiness"


def test_a_whole_video_is_freed_at_its_end(tab, images, tmp_path):
    results, error = predict(tab, write_video(tmp_path / "clip.mp4", images))
    assert (len(results), error) == (FPS, None)
    assert is_freed(tab)


def test_a_video_that_is_cut_gives_the_frames_before_and_says_where_it_ends(tab, images, tmp_path):
    path = write_video(tmp_path / "cut.mp4", images)
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux() if packet.size]
    last = packets[12]  # at 0.48 s
    path.write_bytes(path.read_bytes()[: last.pos + last.size // 2])
    results, error = predict(tab, path)
    assert 1 < len(results) <= 5
    assert all(result["faces"] for result in results)
    assert error.startswith("InputError: `video` must be complete. Received one that cannot be ")
    assert f" read at {len(results) / FPS} s: " in error
    assert "convert it to MP4" in error
    assert is_freed(tab)


@pytest.mark.parametrize("how", STALLS)
def test_a_video_that_stands_still_ends_silently_when_it_is_aborted(tab, images, tmp_path, how):
    path = write_video(tmp_path / "clip.mp4", images)
    tab.evaluate(STALLS[how])
    results, error = predict(tab, path)
    assert error is None
    assert len(results) == (1 if how == "read" else 0)
    assert is_freed(tab)
