"""Tables of videos: one row per face and frame."""

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
from emopy.labels import STANDARD_EMOTIONS
from emopy.present import TIMELINE_FORMATS, open_timeline, timeline_columns, to_frame
from emopy.types import FailedInput, ImageResult

HEAD = ["source", "time_s", "frame", "track", "left", "top", "right", "bottom", "score"]
COLUMNS = [*HEAD, *STANDARD_EMOTIONS, "emotion", "confidence"]


def saved(path, results, labels=STANDARD_EMOTIONS):
    with open_timeline(path, labels) as sink:
        for result in results:
            sink.write(result)
    return path


def interrupted(results):
    """Some results, then Ctrl-C."""
    yield from results[:9]
    raise KeyboardInterrupt


def rows_of(path):
    """The rows of any format, as Python's own numbers; an empty cell is None."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as stream:
            return [{k: v or None for k, v in row.items()} for row in csv.DictReader(stream)]
    if path.suffix == ".json":
        return json.loads(path.read_text(encoding="utf-8"))
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return pq.read_table(path).to_pylist()


def test_columns_are_tidy_and_in_order():
    assert list(timeline_columns(STANDARD_EMOTIONS)) == COLUMNS


@pytest.mark.parametrize("kind", TIMELINE_FORMATS)
def test_every_format_has_one_row_per_face_and_frame(clip, tmp_path, kind):
    rows = rows_of(saved(tmp_path / f"out.{kind}", clip))
    assert list(rows[0]) == COLUMNS
    expected = [
        (str(result.frame), track and str(track))
        for result in clip
        for track in ([face.face.track for face in result.faces] or [None])
    ]
    assert [(str(r["frame"]), r["track"] and str(r["track"])) for r in rows] == expected
    empty = [row for row in rows if row["track"] is None]
    assert len(empty) == 2
    assert {key for row in empty for key, cell in row.items() if cell is not None} == set(HEAD[:3])


def test_json_json_lines_and_parquet_hold_the_same_values(clip, tmp_path):
    known = rows_of(saved(tmp_path / "a.json", clip))
    assert rows_of(saved(tmp_path / "a.jsonl", clip)) == known
    assert rows_of(saved(tmp_path / "a.parquet", clip)) == known
    assert [type(known[0][name]) for name in ("time_s", "frame", "track", "emotion")] == [
        *(float, int, int, str)
    ]


def test_pandas_reads_the_same_frame_from_every_format(clip, tmp_path):
    frame = to_frame(clip)
    assert list(frame.columns) == COLUMNS
    assert (frame["track"].dtype, frame["frame"].dtype) == ("Int64", "Int64")
    read = {
        "csv": pd.read_csv(saved(tmp_path / "a.csv", clip)),
        "json": pd.read_json(saved(tmp_path / "a.json", clip), precise_float=True),
        "jsonl": pd.read_json(saved(tmp_path / "a.jsonl", clip), lines=True, precise_float=True),
        "parquet": pd.read_parquet(saved(tmp_path / "a.parquet", clip)),
    }
    for other in read.values():
        assert list(other.columns) == COLUMNS
        pd.testing.assert_frame_equal(other.astype(frame.dtypes), frame, check_exact=True)
    assert frame.groupby("track")["time_s"].agg(["min", "max"]).loc[2].tolist() == [1.6, 3.96]


@pytest.mark.parametrize("time_s", [3599.967, 86399.001, 1 / 30])
def test_times_keep_their_milliseconds_over_hours(shown, tmp_path, time_s):
    for kind in TIMELINE_FORMATS:
        row = rows_of(saved(tmp_path / f"a.{kind}", [shown(time_s, {1: "fear"})]))[0]
        assert abs(float(row["time_s"]) - time_s) < 1e-6


@pytest.mark.parametrize("kind", TIMELINE_FORMATS)
def test_a_label_with_the_name_of_a_column_gets_one_of_its_own(shown, tmp_path, kind):
    labels = ("track", "joy")
    result = shown(0.0, {4: "track"}, labels=labels)
    row = rows_of(saved(tmp_path / f"a.{kind}", [result], labels))[0]
    assert (int(row["track"]), float(row["track_probability"])) == (4, 0.7)


def test_a_video_without_faces_has_the_columns_of_its_labels(tmp_path):
    results = [ImageResult("a", (9, 9), (), 0.5, 0)]
    assert list(to_frame(results, STANDARD_EMOTIONS).columns) == COLUMNS
    for kind in TIMELINE_FORMATS:
        assert list(rows_of(saved(tmp_path / f"a.{kind}", results))[0]) == COLUMNS
    assert pq.read_table(saved(tmp_path / "b.parquet", [])).column_names == COLUMNS


@pytest.mark.parametrize("kind", TIMELINE_FORMATS)
def test_after_an_exception_the_old_file_is_there_and_nothing_else(clip, tmp_path, kind):
    path = tmp_path / f"out.{kind}"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        saved(path, interrupted(clip))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_streams_take_every_format_and_stay_open(clip, tmp_path):
    for kind in TIMELINE_FORMATS:
        stream = io.BytesIO() if kind == "parquet" else io.StringIO()
        with open_timeline(stream, STANDARD_EMOTIONS, format=kind) as sink:
            for result in clip:
                sink.write(result)
        written = stream.getvalue()
        path = tmp_path / f"a.{kind}"
        path.write_bytes(written if kind == "parquet" else written.encode())
        assert len(rows_of(path)) == 137


def test_parquet_is_written_group_by_group_in_flat_memory(shown, tmp_path):
    frames = (shown(i / 100, {1: "fear"}) for i in range(20_000))
    with open_timeline(tmp_path / "a.parquet", STANDARD_EMOTIONS) as sink:
        for _ in range(9_000):
            sink.write(next(frames))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for frame in frames:
            sink.write(frame)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    meta = pq.read_metadata(tmp_path / "a.parquet")
    assert (meta.num_rows, meta.num_row_groups) == (20_000, 3)
    assert grown < 8 * 1024 * (1024 if sys.platform == "darwin" else 1)


def test_what_does_not_fit_is_refused(clip, shown, tmp_path):
    with pytest.raises(InputError, match=r"end in \.csv.*Received.*out\.xlsx.*out\.csv"):
        open_timeline(tmp_path / "out.xlsx", STANDARD_EMOTIONS)
    with pytest.raises(InputError, match=r"`format` must be csv.*Received None"):
        open_timeline(io.StringIO(), STANDARD_EMOTIONS)
    with pytest.raises(InputError, match="Received 'xml'"):
        open_timeline(tmp_path / "a.csv", STANDARD_EMOTIONS, format="xml")
    with (
        pytest.raises(InputError, match="binary stream"),
        open_timeline(io.StringIO(), STANDARD_EMOTIONS, format="parquet"),
    ):
        pass
    with pytest.raises(InputError, match=r"failed input 'bad\.mp4'"):
        saved(tmp_path / "a.csv", [FailedInput("bad.mp4", InputError("x"))])
    with pytest.raises(InputError, match="labels of the sink"):
        saved(tmp_path / "a.csv", clip, ("anger", "fear"))
    with pytest.raises(InputError, match="labels of the sink"):
        to_frame([*clip, shown(9.0, {1: "joy"}, labels=("joy", "fear"))])
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra_one_line_says_what_to_install(clip, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"Data frames.*pip install 'emopy\[tables\]'"):
        to_frame(clip)
    with pytest.raises(MissingExtraError, match=r"Parquet.*pip install 'emopy\[tables\]'"):
        saved(tmp_path / "a.parquet", clip)
    assert list(tmp_path.iterdir()) == []


def test_unknown_numbers_are_empty(found, tmp_path):
    face = found((0, 0, 9, 9), track=1)
    face.prediction.probabilities[:] = np.nan
    result = ImageResult("a", (9, 9), (face,), 0.0, 0)
    for kind in TIMELINE_FORMATS:
        row = rows_of(saved(tmp_path / f"a.{kind}", [result]))[0]
        assert row["fear"] is row["confidence"] is None
