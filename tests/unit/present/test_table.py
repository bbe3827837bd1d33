"""Tables of results: CSV, JSON, JSON Lines, Parquet and data frames."""

import csv
import io
import json
import resource
import sys

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from emopy.errors import InputError, MissingExtraError
from emopy.escaping import unquote_csv_text
from emopy.labels import STANDARD_EMOTIONS
from emopy.present import TABLE_FORMATS, open_table, to_frame
from emopy.result_table import row_columns, to_rows
from emopy.types import Box, Face, FacePrediction, FailedInput, ImageResult, Prediction

COLUMNS = list(row_columns(STANDARD_EMOTIONS))
TEXT_FORMATS = ("csv", "json", "jsonl")
ROW_FORMATS = ("csv", "jsonl", "parquet")


def saved(path, results, labels=STANDARD_EMOTIONS):
    with open_table(path, labels) as table:
        for result in results:
            table.write(result)
    return path


def written(name, results, labels=STANDARD_EMOTIONS):
    stream = io.StringIO()
    with open_table(stream, labels, format=name) as table:
        for result in results:
            table.write(result)
    return stream.getvalue()


def interrupted(results):
    """Some results, then Ctrl-C."""
    yield from results[:9]
    raise KeyboardInterrupt


def written_until_interrupted(name, target, result):
    with open_table(target, STANDARD_EMOTIONS, format=name) as table:
        table.write(result)
        raise KeyboardInterrupt


def rows_of(path):
    """The rows of a CSV, JSON Lines or Parquet file; an empty cell is None."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as stream:
            return [{k: v or None for k, v in row.items()} for row in csv.DictReader(stream)]
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return pq.read_table(path).to_pylist()


def test_csv_has_a_row_per_face_and_one_for_every_other_input(results):
    rows = list(csv.DictReader(io.StringIO(written("csv", results))))
    assert [row["source"] for row in rows] == ["group, 1.jpg"] * 2 + ["wall.jpg", "bad.jpg"]
    assert [row["face"] for row in rows] == ["1", "2", "", ""]
    assert [row["emotion"] for row in rows] == ["happiness", "fear", "", ""]
    assert [row["error"] for row in rows] == ["", "", "", "`source` must hold an image."]
    assert float(rows[0]["happiness"]) == float(rows[0]["confidence"]) == 0.7
    assert (rows[1]["left"], rows[1]["right"], rows[2]["width"]) == ("-5.25", "7.12346", "64")
    assert {row["time_s"] for row in rows} == {row["frame"] for row in rows} == {""}


@pytest.mark.parametrize("count", [0, 1, 3])
def test_json_is_one_array_of_nested_objects(results, count):
    expected = [result.to_dict() for result in results[:count]]
    assert json.loads(written("json", results[:count])) == expected


@pytest.mark.parametrize("name", ROW_FORMATS)
def test_videos_have_one_row_per_face_and_frame(clip, tmp_path, name):
    rows = rows_of(saved(tmp_path / f"out.{name}", clip))
    assert list(rows[0]) == COLUMNS
    expected = [
        (str(result.frame), track and str(track))
        for result in clip
        for track in ([face.face.track for face in result.faces] or [None])
    ]
    assert [(str(r["frame"]), r["track"] and str(r["track"])) for r in rows] == expected
    empty = [row for row in rows if row["track"] is None]
    assert len(empty) == 2
    known = {key for row in empty for key, cell in row.items() if cell is not None}
    assert known == {"source", "width", "height", "time_s", "frame"}


def test_videos_have_one_json_object_per_frame(clip, tmp_path):
    objects = json.loads(saved(tmp_path / "out.json", clip).read_text(encoding="utf-8"))
    assert [each["frame"] for each in objects] == list(range(100))
    assert [face["track"] for face in objects[70]["faces"]] == [1, 2]
    assert objects[39]["faces"] == []


def test_json_lines_and_parquet_hold_the_same_values(clip, results, tmp_path):
    everything = [*clip, *results]
    known = rows_of(saved(tmp_path / "a.jsonl", everything))
    assert rows_of(saved(tmp_path / "a.parquet", everything)) == known
    assert [type(known[0][name]) for name in ("time_s", "frame", "track", "emotion")] == [
        *(float, int, int, str)
    ]


def test_pandas_reads_the_same_frame_from_every_format(clip, results, tmp_path):
    everything = [*clip, *results]
    frame = to_frame(everything)
    assert list(frame.columns) == COLUMNS
    assert (frame["track"].dtype, frame["frame"].dtype) == ("Int64", "Int64")
    read = {
        "csv": pd.read_csv(saved(tmp_path / "a.csv", everything)),
        "jsonl": pd.read_json(
            saved(tmp_path / "a.jsonl", everything), lines=True, precise_float=True
        ),
        "parquet": pd.read_parquet(saved(tmp_path / "a.parquet", everything)),
    }
    for other in read.values():
        assert list(other.columns) == COLUMNS
        pd.testing.assert_frame_equal(other.astype(frame.dtypes), frame, check_exact=True)
    assert frame.groupby("track")["time_s"].agg(["min", "max"]).loc[2].tolist() == [1.6, 3.96]


def test_failed_inputs_are_rows_of_a_data_frame(results):
    frame = to_frame(results)
    assert frame["source"].tolist() == ["group, 1.jpg"] * 2 + ["wall.jpg", "bad.jpg"]
    assert frame["error"].isna().tolist() == [True, True, True, False]
    assert frame["happiness"].isna().tolist() == [False, False, True, True]
    assert to_frame(results[2:])["error"].tolist() == ["`source` must hold an image."]


def test_to_frame_is_a_name_of_the_package(results):
    import emopy

    assert len(emopy.to_frame(results)) == 4


@pytest.mark.parametrize("time_s", [3599.967, 86399.001, 1 / 30])
def test_times_keep_their_milliseconds_over_hours(shown, tmp_path, time_s):
    for name in ROW_FORMATS:
        row = rows_of(saved(tmp_path / f"a.{name}", [shown(time_s, {1: "fear"})]))[0]
        assert abs(float(row["time_s"]) - time_s) < 1e-6


@pytest.mark.parametrize("name", ROW_FORMATS)
@pytest.mark.parametrize("column", ["track", "score", "error"])
def test_a_label_with_the_name_of_a_column_gets_its_own_column(shown, tmp_path, name, column):
    labels = (column, "joy")
    result = shown(0.0, {4: column}, labels=labels)
    row = rows_of(saved(tmp_path / f"a.{name}", [result], labels))[0]
    assert (int(row["track"]), float(row["score"]), row["error"]) == (4, 0.987654, None)
    assert float(row[f"{column}_probability"]) == 0.7


def test_a_video_without_faces_has_the_columns_of_its_labels(tmp_path):
    results = [ImageResult("a", (9, 9), (), 0.5, 0)]
    assert list(to_frame(results, STANDARD_EMOTIONS).columns) == COLUMNS
    for name in ROW_FORMATS:
        assert list(rows_of(saved(tmp_path / f"a.{name}", results))[0]) == COLUMNS
    assert pq.read_table(saved(tmp_path / "b.parquet", [])).column_names == COLUMNS


@pytest.mark.parametrize("name", TEXT_FORMATS)
def test_a_file_appears_only_when_it_is_complete(name, results, tmp_path):
    path = tmp_path / "new" / "out.txt"
    with open_table(path, STANDARD_EMOTIONS, format=name) as table:
        for result in results:
            table.write(result)
        assert not path.exists()
    assert path.read_text(encoding="utf-8") == written(name, results)
    assert [file.name for file in path.parent.iterdir()] == ["out.txt"]


@pytest.mark.parametrize("name", TABLE_FORMATS)
def test_after_an_exception_the_old_file_is_unchanged_and_alone(clip, tmp_path, name):
    path = tmp_path / f"out.{name}"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        saved(path, interrupted(clip))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_json_on_a_stream_is_closed_even_after_an_exception(results):
    stream = io.StringIO()
    with pytest.raises(KeyboardInterrupt):
        written_until_interrupted("json", stream, results[1])
    assert json.loads(stream.getvalue()) == [results[1].to_dict()]


def test_a_stream_gets_each_result_at_once_and_stays_open(results, tmp_path):
    with (tmp_path / "out").open("w", encoding="utf-8") as stream:
        with open_table(stream, STANDARD_EMOTIONS, format="jsonl") as table:
            table.write(results[1])
            assert json.loads((tmp_path / "out").read_text())["source"] == "wall.jpg"
        assert not stream.closed


def test_streams_take_every_format_and_stay_open(clip, tmp_path):
    for name in TABLE_FORMATS:
        stream = io.BytesIO() if name == "parquet" else io.StringIO()
        with open_table(stream, STANDARD_EMOTIONS, format=name) as table:
            for result in clip:
                table.write(result)
        content = stream.getvalue()
        path = tmp_path / f"a.{name}"
        path.write_bytes(content if name == "parquet" else content.encode())
        count = len(json.loads(content)) if name == "json" else len(rows_of(path))
        assert count == (100 if name == "json" else 137)


@pytest.mark.parametrize("name", TEXT_FORMATS)
def test_a_broken_stream_is_reported_as_such(name, results):
    class Broken(io.StringIO):
        def write(self, text):
            if "wall" in text:
                raise BrokenPipeError
            return super().write(text)

    with (
        pytest.raises(BrokenPipeError),
        open_table(Broken(), STANDARD_EMOTIONS, format=name) as table,
    ):
        table.write(results[1])


def test_characters_that_utf8_or_the_stream_cannot_hold_are_escaped(tmp_path):
    result = ImageResult("\udcff名.jpg", (9, 9))
    for name in TEXT_FORMATS:
        with open_table(tmp_path / "out", STANDARD_EMOTIONS, format=name) as table:
            table.write(result)
        assert "udcff名.jpg" in (tmp_path / "out").read_text(encoding="utf-8")
    with (
        (tmp_path / "ascii").open("w", encoding="ascii") as stream,
        open_table(stream, STANDARD_EMOTIONS, format="json") as table,
    ):
        table.write(result)
    assert json.loads((tmp_path / "ascii").read_text())[0]["source"] == "\\udcff名.jpg"


def test_parquet_is_written_group_by_group_in_flat_memory(shown, tmp_path):
    frames = (shown(i / 100, {1: "fear"}) for i in range(20_000))
    with open_table(tmp_path / "a.parquet", STANDARD_EMOTIONS) as table:
        for _ in range(9_000):
            table.write(next(frames))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for frame in frames:
            table.write(frame)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    meta = pq.read_metadata(tmp_path / "a.parquet")
    assert (meta.num_rows, meta.num_row_groups) == (20_000, 3)
    assert grown < 8 * 1024 * (1024 if sys.platform == "darwin" else 1)


def test_unknown_formats_and_text_streams_for_parquet_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"\.jsonl or \.parquet. Received.*out\.md.*out\.csv"):
        open_table(tmp_path / "out.md", STANDARD_EMOTIONS)
    with pytest.raises(InputError, match=r"Received.*out\.xlsx.*For Excel write a \.csv file"):
        open_table(tmp_path / "out.xlsx", STANDARD_EMOTIONS)
    with pytest.raises(InputError, match=r"`format` must be csv.*Received None"):
        open_table(io.StringIO(), STANDARD_EMOTIONS)
    with pytest.raises(InputError, match="Received 'xml'"):
        open_table(tmp_path / "a.csv", STANDARD_EMOTIONS, format="xml")
    with (
        pytest.raises(InputError, match="binary stream"),
        open_table(io.StringIO(), STANDARD_EMOTIONS, format="parquet"),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", TABLE_FORMATS)
def test_other_labels_and_a_closed_table_are_refused(clip, shown, tmp_path, name):
    with pytest.raises(InputError, match="must have the labels"):
        saved(tmp_path / f"a.{name}", clip, ("anger", "fear"))
    with pytest.raises(InputError, match="must have the labels"):
        to_frame([*clip, shown(9.0, {1: "joy"}, labels=("joy", "fear"))])
    with pytest.raises(InputError, match=r"inside the `with` block"):
        open_table(tmp_path / f"a.{name}", STANDARD_EMOTIONS).write(clip[0])
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra_the_error_says_what_to_install(clip, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"Data frames.*pip install 'emopy\[tables\]'"):
        to_frame(clip)
    with pytest.raises(MissingExtraError, match=r"Parquet.*pip install 'emopy\[tables\]'"):
        saved(tmp_path / "a.parquet", clip)
    assert list(tmp_path.iterdir()) == []


def test_numbers_that_are_not_finite_are_empty_cells(found, tmp_path):
    face = found((0, 0, 9, 9), track=1)
    face.prediction.probabilities[:] = np.nan
    result = ImageResult("a", (9, 9), (face,), 0.0, 0)
    for name in ROW_FORMATS:
        row = rows_of(saved(tmp_path / f"a.{name}", [result]))[0]
        assert row["fear"] is row["confidence"] is None


def test_a_failed_video_is_a_row(tmp_path):
    failed = FailedInput("bad.mp4", InputError("no video"))
    (row,) = rows_of(saved(tmp_path / "a.csv", [failed]))
    assert (row["source"], row["error"], row["face"]) == ("bad.mp4", "no video", None)


RISKY = ("=1+1", "+1", "-1", "@a", "\t=1", "'=1")


@pytest.fixture
def risky_results():
    """A face and a failed input whose source, labels and error a spreadsheet would compute."""
    face = FacePrediction(Face(Box(-5, -4, 9, 9)), Prediction(RISKY, np.eye(6, dtype="f4")[0]))
    failed = [FailedInput(source, InputError(source)) for source in RISKY]
    return [ImageResult("=1+1.jpg", (9, 9), (face,)), *failed]


def test_no_cell_of_a_csv_file_is_a_formula_and_numbers_stay_numbers(risky_results):
    rows = list(csv.reader(io.StringIO(written("csv", risky_results, RISKY), newline="")))
    header, first, *failed = rows
    assert not [cell for row in (header, *failed) for cell in row if cell[:1] in set("=+-@\t\r\n")]
    assert first[header.index("source")] == "'=1+1.jpg"
    assert first[header.index("emotion")] == "'=1+1"
    assert first[header.index("left")] == "-5.0"
    assert tuple(map(unquote_csv_text, header)) == row_columns(RISKY)
    assert [unquote_csv_text(row[header.index("error")]) for row in failed] == list(RISKY)


def test_other_formats_have_the_texts_as_they_are(risky_results, tmp_path):
    rows = [row for result in risky_results for row in to_rows(result, RISKY)]
    assert rows_of(saved(tmp_path / "t.jsonl", risky_results, RISKY)) == rows
    assert rows_of(saved(tmp_path / "t.parquet", risky_results, RISKY)) == rows
    assert list(to_frame(risky_results, RISKY)["source"]) == [row["source"] for row in rows]
