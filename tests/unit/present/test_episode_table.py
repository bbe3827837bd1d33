import csv
import io

import pytest

from emopy.labels import STANDARD_EMOTIONS
from emopy.present import EPISODE_COLUMNS, episodes_csv, overview_text
from emopy.types import ImageResult
from emopy.video import Summary


@pytest.fixture
def summary(clip):
    """Four seconds: face 1 leaves for one of them, face 2 comes late."""
    summary = Summary(STANDARD_EMOTIONS)
    for result in clip:
        summary.add(result)
    return summary


@pytest.fixture
def empty():
    """A video without a face."""
    summary = Summary(STANDARD_EMOTIONS)
    for number in range(3):
        summary.add(ImageResult("empty.mp4", (640, 480), (), number / 25, number))
    return summary


def test_episodes_are_rows_with_the_times_of_the_summary(summary, empty):
    rows = list(csv.DictReader(io.StringIO(episodes_csv([summary, empty, summary]))))
    expected = [
        (str(track.track), each.emotion, round(each.start_s, 6), round(each.end_s, 6))
        for track in summary.tracks
        for each in track.episodes
    ]
    found = [
        (row["track"], row["emotion"], float(row["start_s"]), float(row["end_s"])) for row in rows
    ]
    assert found == expected * 2
    assert tuple(rows[0]) == EPISODE_COLUMNS
    for row in rows:
        seconds = float(row["end_s"]) - float(row["start_s"])
        assert float(row["seconds"]) == pytest.approx(seconds, abs=2e-6)


def test_a_source_that_looks_like_a_formula_is_quoted(shown):
    summary = Summary(STANDARD_EMOTIONS)
    for number in range(30):
        summary.add(shown(number / 25, {1: "fear"}, source="=1+1.mp4"))
    assert episodes_csv([summary]).splitlines()[1].startswith("'=1+1.mp4,1,")


def test_the_overview_has_proportions_over_all_faces(summary, empty):
    header, first, second = overview_text([summary, empty]).splitlines()
    assert header.split() == ["video", "length", "faces", "mostly"]
    seen = {track.track: track.seen_s for track in summary.tracks}
    one = summary.tracks[0].proportions
    fear = 100 * one["fear"] * seen[1] / sum(seen.values())
    neutral = 100 * seen[2] / sum(seen.values())
    assert first.endswith(f"2  neutral {neutral:.0f} %, fear {fear:.0f} %")
    assert second.split() == ["empty.mp4", "0.1", "s", "0"]
