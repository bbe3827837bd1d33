"""Sinks: CSV, JSON, JSON Lines."""

import csv
import io
import json

import pytest

from emopy.errors import InputError
from emopy.labels import STANDARD_EMOTIONS
from emopy.present import CSVSink, JSONLSink, JSONSink, as_record
from emopy.types import ImageResult

SINKS = [CSVSink, JSONSink, JSONLSink]


def written(sink_class, results, labels=STANDARD_EMOTIONS):
    stream = io.StringIO()
    with sink_class(stream, labels) as sink:
        for result in results:
            sink.write(result)
    return stream.getvalue()


def written_until_interrupted(sink_class, target, result):
    with sink_class(target, STANDARD_EMOTIONS) as sink:
        sink.write(result)
        raise KeyboardInterrupt


def test_csv_has_a_row_per_face_and_a_trace_of_every_input(results):
    rows = list(csv.DictReader(io.StringIO(written(CSVSink, results))))
    assert [row["source"] for row in rows] == ["group, 1.jpg"] * 2 + ["wall.jpg", "bad.jpg"]
    assert [row["face"] for row in rows] == ["1", "2", "", ""]
    assert [row["emotion"] for row in rows] == ["happiness", "fear", "", ""]
    assert [row["error"] for row in rows] == ["", "", "", "`source` must hold an image."]
    assert float(rows[0]["happiness"]) == float(rows[0]["confidence"]) == 0.7
    assert (rows[1]["left"], rows[1]["right"], rows[2]["width"]) == ("-5.25", "7.12346", "64")


def test_csv_names_every_label_once_even_when_a_column_has_its_name(found):
    face = found((0, 0, 9, 9), "score", labels=("score", "joy"))
    rows = csv.DictReader(
        io.StringIO(written(CSVSink, [ImageResult("a", (9, 9), (face,))], ("score", "joy")))
    )
    row = next(rows)
    assert (row["score"], row["score_probability"]) == ("0.987654", "0.7")


@pytest.mark.parametrize("count", [0, 1, 3])
def test_json_is_one_array_and_json_lines_an_object_per_line(results, count):
    expected = [as_record(result) for result in results[:count]]
    assert json.loads(written(JSONSink, results[:count])) == expected
    lines = written(JSONLSink, results[:count]).splitlines()
    assert [json.loads(line) for line in lines] == expected


@pytest.mark.parametrize("sink_class", SINKS)
def test_a_file_appears_only_when_it_is_whole(sink_class, results, tmp_path):
    path = tmp_path / "new" / "out.txt"
    with sink_class(path, STANDARD_EMOTIONS) as sink:
        for result in results:
            sink.write(result)
        assert not path.exists()
    assert path.read_text(encoding="utf-8") == written(sink_class, results)
    assert [file.name for file in path.parent.iterdir()] == ["out.txt"]


@pytest.mark.parametrize("sink_class", SINKS)
def test_after_an_exception_the_old_file_is_there_and_nothing_else(sink_class, results, tmp_path):
    path = tmp_path / "out.txt"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        written_until_interrupted(sink_class, path, results[0])
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["out.txt"]


def test_json_on_a_stream_is_closed_even_after_an_exception(results):
    stream = io.StringIO()
    with pytest.raises(KeyboardInterrupt):
        written_until_interrupted(JSONSink, stream, results[1])
    assert json.loads(stream.getvalue()) == [as_record(results[1])]


def test_a_stream_sees_each_result_at_once_and_stays_open(results, tmp_path):
    with (tmp_path / "out").open("w", encoding="utf-8") as stream:
        with JSONLSink(stream, STANDARD_EMOTIONS) as sink:
            sink.write(results[1])
            assert json.loads((tmp_path / "out").read_text())["source"] == "wall.jpg"
        assert not stream.closed


@pytest.mark.parametrize("sink_class", SINKS)
def test_a_broken_stream_is_reported_as_such(sink_class, results):
    class Broken(io.StringIO):
        def write(self, text):
            if "wall" in text:
                raise BrokenPipeError
            return super().write(text)

    with pytest.raises(BrokenPipeError), sink_class(Broken(), STANDARD_EMOTIONS) as sink:
        sink.write(results[1])


def test_names_that_utf8_or_the_stream_lack_are_escaped(tmp_path):
    result = ImageResult("\udcff名.jpg", (9, 9))
    for sink_class in SINKS:
        with sink_class(tmp_path / "out", STANDARD_EMOTIONS) as sink:
            sink.write(result)
        assert "udcff名.jpg" in (tmp_path / "out").read_text(encoding="utf-8")
    with (
        (tmp_path / "ascii").open("w", encoding="ascii") as stream,
        JSONSink(stream, STANDARD_EMOTIONS) as sink,
    ):
        sink.write(result)
    assert json.loads((tmp_path / "ascii").read_text())[0]["source"] == "\\udcff名.jpg"


@pytest.mark.parametrize("sink_class", SINKS)
def test_other_labels_and_a_closed_sink_are_refused(sink_class, results):
    with pytest.raises(InputError, match="labels of the sink"):
        written(sink_class, results, ("anger", "fear"))
    with pytest.raises(InputError, match=r"outside its `with` block"):
        sink_class(io.StringIO(), STANDARD_EMOTIONS).write(results[1])
