"""The plot of several videos: who expresses what when, on one time axis."""

import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from emopy.errors import InputError
from emopy.labels import STANDARD_EMOTIONS
from emopy.present import COLORS, plot_overview
from emopy.types import ImageResult
from emopy.video import Summary

LINE, LEFT, WIDTH = 32, 157, 1235  # pixels: a strip with its distance, and the time axis


@pytest.fixture
def summary(clip):
    """Four seconds: face 1 leaves for one of them, face 2 comes late."""
    return summarized(clip)


@pytest.fixture
def of_faces(shown):
    """Return a summary in which the n-th of some faces is visible for n tenths of a second."""

    def made(source, faces, *, seconds=4.0, start_s=0.0):
        results = []
        for t in np.arange(0, seconds - 1e-6, 0.1):
            visible = {n: "fear" for n in range(1, faces + 1) if t < n / 10 - 0.05}
            results.append(shown(start_s + t, visible, source=source))
        return summarized(results)

    return made


def summarized(results):
    summary = Summary(STANDARD_EMOTIONS)
    for result in results:
        summary.add(result)
    return summary


def drawn(summaries, path):
    return np.array(Image.open(plot_overview(summaries, path)).convert("RGB"))


def texts(summaries, path):
    """What an SVG says: Matplotlib notes each text that it draws as paths."""
    written = plot_overview(summaries, path).read_text(encoding="utf-8")
    return re.findall(r"<!-- (.*?) -->", written)


def names(words):
    return [word for word in words if re.search(r", [0-9.:]+ (s|min|h)$", word)]


def test_each_face_has_a_strip_in_the_colors_of_its_episodes(summary, tmp_path):
    image = drawn([summary], tmp_path / "a.png")[130:]  # below the legend

    def seconds(label):
        """When a color is there, by the columns of the image, and in which rows."""
        colored = (image == COLORS[label]).all(axis=2)
        rows = np.flatnonzero(colored.sum(axis=1) > 20)  # letters have gray edges, too
        columns = np.flatnonzero(colored[rows].any(axis=0))
        return (columns[0] - LEFT) / WIDTH * 4, (columns[-1] - LEFT) / WIDTH * 4, set(rows)

    first, second = summary.tracks
    happy, afraid, away_then_afraid = first.episodes
    (neutral,) = second.episodes
    start, end, rows = seconds("happiness")
    assert (start, end) == pytest.approx((happy.start_s, happy.end_s), abs=0.02)
    start, end, rows_of_fear = seconds("fear")
    assert (start, end) == pytest.approx((afraid.start_s, away_then_afraid.end_s), abs=0.02)
    start, end, rows_of_neutral = seconds("neutral")
    assert (start, end) == pytest.approx((neutral.start_s, neutral.end_s), abs=0.02)
    assert rows == rows_of_fear
    assert min(rows_of_neutral) - min(rows) == pytest.approx(LINE, abs=1)
    away_s = (afraid.end_s + away_then_afraid.start_s) / 2
    assert (image[sorted(rows), LEFT + int(away_s / 4 * WIDTH)] > 220).all()


def test_videos_are_named_without_their_folder_on_one_time_axis(of_faces, tmp_path):
    videos = [of_faces("in/study/anna.avi", 2), of_faces("in/study/late/ben.avi", 1, seconds=9)]
    words = texts(videos, tmp_path / "a.svg")
    assert "Emotions over time" in words
    assert names(words) == ["anna, 4.0 s", "late/ben, 9.0 s"]
    assert [word for word in words if word.startswith("track")] == ["track 1", "track 2", "track 1"]
    assert words.count("9 s") == 2  # above and below
    assert not [word for word in words if "study" in word]
    same = [of_faces(f"in/{name}", 1) for name in ("a.mp4", "a.avi", "b.avi")]
    assert names(texts(same, tmp_path / "b.svg")) == ["a.mp4, 4.0 s", "a.avi, 4.0 s", "b, 4.0 s"]
    assert names(texts(same[:1], tmp_path / "c.svg")) == ["a, 4.0 s"]


def test_long_videos_have_minutes_and_a_later_start_begins_the_axis(of_faces, tmp_path):
    words = texts([of_faces("a.avi", 1, seconds=30, start_s=45)], tmp_path / "a.svg")
    assert "1:10" in words
    assert "0:30" not in words
    assert not re.search(r"\b[0-9]+ s\b", " ".join(set(words) - {"a, 30.0 s"}))


def test_only_where_a_model_was_not_sure_the_legend_says_so(summary, found, tmp_path):
    assert "not sure" not in texts([summary], tmp_path / "a.svg")
    face = found((9, 9, 99, 99), track=1)
    face = replace(face, prediction=replace(face.prediction, min_confidence=0.9))
    doubtful = summarized(ImageResult("b.avi", (640, 480), (face,), i / 10, i) for i in range(20))
    assert [each.emotion for each in doubtful.tracks[0].episodes] == [None]
    assert "not sure" in texts([summary, doubtful], tmp_path / "b.svg")


def test_of_many_faces_those_seen_longest_have_strips(of_faces, tmp_path):
    words = texts([of_faces("crowd.avi", 30), of_faces("none.avi", 0)], tmp_path / "a.svg")
    assert [word for word in words if word.startswith("track")] == [
        f"track {n}" for n in range(23, 31)
    ]
    assert "and 22 more faces, seen for less time" in words
    assert words.count("no face found") == 1


def test_the_page_has_a_bounded_height_and_says_what_is_left_out(of_faces, tmp_path):
    crowd = of_faces("crowd.avi", 12, seconds=2)
    some, many = [crowd] * 30, [crowd] * 90
    words = texts(some, tmp_path / "a.svg")
    assert len(names(words)) == 30
    strips = sum(word.startswith("track") for word in words)
    assert 30 < strips < 8 * 30
    assert words.count(f"and {12 - strips // 30} more faces, seen for less time") == 30
    words = texts(many, tmp_path / "b.svg")
    shown = len(names(words))
    assert 40 < shown < 90
    assert f"and {90 - shown} more videos" in words
    height = re.search(r'height="([0-9.]+)pt"', (tmp_path / "b.svg").read_text(encoding="utf-8"))
    assert 35 * 72 < float(height[1]) < 42 * 72


def test_the_same_summaries_give_the_same_bytes(summary, tmp_path):
    for suffix in (".png", ".svg", ".pdf"):
        one = plot_overview([summary], tmp_path / f"a{suffix}").read_bytes()
        assert plot_overview([summary], tmp_path / f"b{suffix}").read_bytes() == one


def test_a_plot_of_no_video_is_refused(tmp_path):
    with pytest.raises(InputError, match="`summaries` must hold"):
        plot_overview([], tmp_path / "none.png")
    assert list(tmp_path.iterdir()) == []
