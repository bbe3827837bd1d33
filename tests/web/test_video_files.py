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

PREDICT = """async (name) => {
  const { FERModel } = await import("/dist/emopy.js");
  const file = await (await fetch(`/${name}`)).blob();
  const model = await FERModel.load({ model: "emopy-tiny" });
  const results = [];
  for await (const result of model.predictVideo(file, { fps: 5 })) results.push(result);
  model.close();
  return results;
}"""

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
    return opened(tmp_path)


@pytest.mark.parametrize("how", BACK)
def test_a_video_that_is_turned_when_it_is_shown_gets_the_results_of_an_upright_one(
    tab, images, tmp_path, how
):
    write_video(tmp_path / "upright.mp4", images)
    path = write_video(tmp_path / "turned.mp4", map(BACK[how], images))
    path.write_bytes(turned(path.read_bytes(), how))
    expected = tab.evaluate(PREDICT, "upright.mp4")
    results = tab.evaluate(PREDICT, "turned.mp4")
    assert len(results) == len(expected) == 5
    for result, upright in zip(results, expected, strict=True):
        (face,), (other,) = result["faces"], upright["faces"]
        for edge, pixels in other["box"].items():
            assert face["box"][edge] == pytest.approx(pixels, abs=6)
        assert face["emotion"] == "happiness"
