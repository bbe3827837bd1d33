"""Results for people."""

import io
from dataclasses import replace

import pytest

from emopy.errors import InputError
from emopy.present import as_text, encodable
from emopy.present.text import clock, duration
from emopy.types import FailedInput, ImageResult


def test_every_face_has_a_box_and_a_line_per_emotion_with_the_dominant_marked(results):
    lines = as_text(results[0]).splitlines()
    assert lines[0] == "group, 1.jpg · 640 × 480 · 2 faces"
    assert lines[2] == "  face 1 · 50 × 60 px at left 10, top 20"
    assert lines[6] == "  ▶ happiness   70.0 %  ████████████████████████████"
    assert lines[3] == "    anger        5.0 %  ██"
    assert sum(line.startswith("  ▶") for line in lines) == 2
    assert len(lines) == 1 + 2 * (2 + 7)


def test_a_face_of_which_the_model_is_not_sure_says_so_and_nothing_is_marked(found):
    face = found((0, 0, 9, 9), probability=0.4)
    unsure = replace(face, prediction=replace(face.prediction, min_confidence=0.5))
    lines = as_text(ImageResult("a", (9, 9), (unsure,))).splitlines()
    assert lines[2].endswith("· not sure")
    assert "▶" not in "".join(lines)


def test_no_face_and_failure_are_one_line(results):
    assert as_text(results[1]) == "wall.jpg · 64 × 48 · no face found"
    assert as_text(results[2]) == "bad.jpg · failed: `source` must hold an image."
    assert as_text(FailedInput("a", ValueError())) == "a · failed: ValueError"


def test_one_face_of_a_video_frame_says_when(found):
    result = ImageResult("clip.mp4", (64, 48), (found((0, 0, 9, 9)),), time_s=1.5)
    assert as_text(result).splitlines()[0] == "clip.mp4 · 1.50 s · 64 × 48 · 1 face"


@pytest.mark.parametrize("width", [1, 20, 32, 40, 60, 200])
def test_bars_fit_the_width(found, width):
    faces = (found((0, 0, 9, 9), probability=1.0),)
    lines = as_text(ImageResult("a", (9, 9), faces), width=width).splitlines()[3:]
    assert max(map(len, lines)) <= max(width, 23)
    assert any("█" in line for line in lines) == (width >= 32)


def test_control_characters_of_a_file_name_do_not_reach_the_terminal():
    text = as_text(ImageResult("a\n\x1b[31m\udcff.jpg", (9, 9)))
    assert text.startswith("a\\n\\x1b[31m\\udcff.jpg · ")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437", "latin-1", "utf-8", "koi8-r"])
def test_text_can_be_made_to_fit_any_encoding(results, encoding):
    for result in results:
        text = encodable(as_text(result), encoding)
        io.TextIOWrapper(io.BytesIO(), encoding=encoding).write(text)
        assert "%" in text or not getattr(result, "faces", ())


def test_text_that_fits_is_left_as_it_is_and_bars_become_plain_otherwise(results):
    text = as_text(results[0])
    assert encodable(text, None) == encodable(text, "utf-8") == text
    plain = encodable(text, "ascii").splitlines()
    assert plain[6] == "  > happiness   70.0 %  " + "#" * 28
    assert encodable("名", "ascii") == "?"


def test_an_error_of_several_lines_stays_one_line():
    assert "\n" not in as_text(FailedInput("a", InputError("one\ntwo")))


def test_faces_of_a_video_bear_the_numbers_of_their_tracks(shown):
    text = as_text(shown(61.5, {7: "fear", 4: "anger"}))
    assert text.startswith("clip.mp4 · 61.50 s · 640 × 480 · 2 faces")
    titles = [line.split(" · ")[0] for line in text.splitlines() if line.startswith("  track")]
    assert titles == ["  track 7", "  track 4"]


def test_lengths_and_moments_are_written_as_people_write_them():
    assert [clock(t) for t in (0, 59.6, 3599.6)] == ["0:00", "1:00", "1:00:00"]
    assert [clock(t, 1) for t in (0.04, 59.96)] == ["0:00.0", "1:00.0"]
    assert [duration(t) for t in (0, 59.9, 59.96)] == ["0.0 s", "59.9 s", "1:00 min"]
    assert duration(3600) == "1:00:00 h"
