"""Images of what a video shows over time."""

import re
import sys

import numpy as np
import pytest
from PIL import Image

from emopy.errors import InputError, MissingExtraError
from emopy.labels import STANDARD_EMOTIONS
from emopy.present import COLORS, TimelinePlot
from emopy.types import ImageResult
from emopy.video import TimeBins


def plotted(results, path, labels=STANDARD_EMOTIONS, image=None, **settings):
    plot = TimelinePlot(labels, **settings)
    for result in results:
        plot.add(result, image)
    return plot.save(path)


def part_of(image, label):
    """Where an image has the color of a label."""
    return (np.array(image) == COLORS[label]).all(axis=2)


def texts(path):
    """What an SVG says: Matplotlib notes each text that it draws as paths."""
    return re.findall(r"<!-- (.*?) -->", path.read_text(encoding="utf-8"))


def test_areas_have_the_colors_and_heights_of_the_probabilities(clip, tmp_path):
    image = Image.open(plotted(clip, tmp_path / "a.png")).convert("RGB")
    assert image.size == (1440, 665)
    happy, fear, neutral = (part_of(image, name) for name in ("happiness", "fear", "neutral"))
    first, second = slice(170, 350), slice(400, 580)  # panels of 168 pixels
    assert happy[first, 150].sum() / 168 == pytest.approx(0.7, abs=0.02)  # 0.2 s
    assert fear[first, 1000].sum() / 168 == pytest.approx(0.7, abs=0.02)  # 2.8 s
    assert neutral[second, 1350].sum() / 168 == pytest.approx(0.7, abs=0.02)  # 3.8 s
    pixels = np.array(image)
    assert (pixels[180:340, 750] > 240).all()  # 2.0 s: face 1 is away
    assert (pixels[410:570, 400] > 240).all()  # 0.9 s: face 2 is not there yet


def test_faces_that_are_visible_for_less_than_the_minimum_have_no_panel(clip, tmp_path):
    words = texts(plotted(clip, tmp_path / "a.svg", min_duration_s=2.5))
    assert "track 1" in words
    assert "track 2" not in words
    assert not [word for word in words if "more face" in word]
    assert "no face found" in texts(plotted(clip, tmp_path / "b.svg", min_duration_s=9))
    with pytest.raises(InputError, match="`min_duration_s` must be zero or more seconds"):
        TimelinePlot(STANDARD_EMOTIONS, min_duration_s=-1)


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_the_same_results_give_the_same_bytes(clip, tmp_path, suffix):
    one = plotted(clip, tmp_path / f"a{suffix}").read_bytes()
    assert plotted(clip, tmp_path / "new" / f"b{suffix}").read_bytes() == one
    assert one.startswith({".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}[suffix])


def test_words_say_which_face_how_long_and_which_emotion(clip, tmp_path):
    words = texts(plotted(clip, tmp_path / "a.svg"))
    assert words.index("track 1") < words.index("track 2")
    assert {"clip.mp4", "seen for 3.0 s", "seen for 2.4 s", "0:01.5", "100 %"} <= set(words)
    # Each emotion is named in the legend; those with room also in their areas.
    assert [words.count(name) for name in ("anger", "fear", "neutral")] == [1, 3, 2]


def test_the_longest_seen_faces_have_panels_and_the_others_are_counted(shown, tmp_path):
    results = [shown(i, dict.fromkeys(range(1, 2 + i // 2), "fear")) for i in range(18)]
    words = texts(plotted(results, tmp_path / "a.svg"))
    assert [f"track {n}" in words for n in range(1, 10)] == [True] * 6 + [False] * 3
    assert "and 3 more faces, seen for less time" in words
    two = texts(plotted(results, tmp_path / "b.svg", max_faces=2))
    assert [word for word in two if word.startswith("track ")] == ["track 1", "track 2"]


def test_a_video_without_a_face_says_so(shown, tmp_path):
    assert "no face found" in texts(plotted([shown(i, {}) for i in range(9)], tmp_path / "a.svg"))
    assert "no face found" in texts(plotted([], tmp_path / "b.svg"))


def test_times_are_minutes_and_hours_of_the_video(shown, tmp_path):
    late = [shown(3540 + 6 * i, {1: "fear"}) for i in range(40)]
    words = set(texts(plotted(late, tmp_path / "a.svg")))
    assert {"59:00", "59:30", "1:00:00", "1:03:00", "seen for 4:00 min"} <= words


def test_faces_stand_beside_their_panels(clip, tmp_path):
    (width, height), box = clip[0].size, clip[-1].faces[0].box
    image = np.zeros((height, width, 3), np.uint8)
    image[round(box.top) : round(box.bottom), round(box.left) : round(box.right)] = (255, 0, 0)
    drawn = np.array(Image.open(plotted(clip, tmp_path / "a.png", image=image)))
    rows, columns = np.nonzero((drawn[..., :3] == (255, 0, 0)).all(axis=2))
    assert 100 < np.ptp(rows) < 400
    assert columns.max() < 250


def test_of_many_faces_few_images_are_kept_those_of_the_longest_seen(shown):
    plot, image = TimelinePlot(STANDARD_EMOTIONS, max_faces=2), np.zeros((480, 640, 3), np.uint8)
    for i in range(200):
        passing = {1: "fear", 2 + i // 2: "anger"}
        plot.add(shown(i / 5, passing), image)
    kept = plot._thumbnails.images
    assert 1 in kept
    assert len(kept) <= 16


def test_odd_names_are_drawn_as_they_are(shown, tmp_path):
    labels = tuple(f"$a_{i}$ & <b>" for i in range(14))
    results = [shown(i / 5, {1: labels[0]}, labels=labels, source="a$1$名.mp4") for i in range(9)]
    for suffix in (".png", ".svg"):
        assert plotted(results, tmp_path / f"a{suffix}", labels).stat().st_size > 1000


def test_memory_stays_flat_however_long_the_video(shown):
    bins = TimeBins()
    one, two = shown(0.0, {1: "fear"}), shown(0.0, {1: "happiness", 2: "fear"})
    for i in range(60_000):
        held = two if i >= 30_000 else one
        bins.add(ImageResult("a", (9, 9), held.faces, i / 10, i))
    (curve,) = bins.curves(1)
    assert 500 < len(curve.times_s) <= 1001
    assert curve.times_s[[0, -1]] == pytest.approx([0, 6000])
    at = {label: i for i, label in enumerate(STANDARD_EMOTIONS)}
    assert curve.probabilities[100, at["fear"]] == pytest.approx(0.7)
    assert curve.probabilities[-100, at["happiness"]] == pytest.approx(0.7)
    (second,) = bins.curves(2)
    assert second.times_s[0] == pytest.approx(3000, abs=12)
    assert bins.seen_s == pytest.approx({1: 6000, 2: 3000})


def test_bad_arguments_and_results_are_refused_and_leave_no_file(clip, tmp_path):
    with pytest.raises(InputError, match=r"end in \.png, \.svg or \.pdf.*out\.bmp.*out\.png"):
        plotted(clip, tmp_path / "out.bmp")
    with pytest.raises(InputError, match="`max_faces` must be 1 or more"):
        TimelinePlot(STANDARD_EMOTIONS, max_faces=0)
    with pytest.raises(InputError, match="must have the labels"):
        plotted(clip, tmp_path / "a.png", ("anger", "fear"))
    with pytest.raises(InputError, match="order of time"):
        plotted(clip[::-1], tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra_one_line_says_what_to_install(clip, tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"Plotting.*pip install 'emopy\[video\]'"):
        plotted(clip, tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []
