"""Tables and text of any results hold what was written."""

import csv
import io
import json

import numpy as np
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from emopy.errors import InputError
from emopy.escaping import one_line, unquote_csv_text
from emopy.labels import ALL_EMOTIONS
from emopy.present import TABLE_FORMATS, as_text, encodable, open_table, to_frame
from emopy.result_table import COLUMN_TYPES, row_columns, to_rows
from emopy.types import (
    Box,
    Face,
    FacePrediction,
    FailedInput,
    ImageResult,
    Prediction,
)

TEXT = st.text(st.characters(), max_size=20) | st.text("=+-@\t\r\n'a", max_size=4)
EDGES = st.floats(-1e4, 1e4)
SIDES = st.floats(1, 1e4)
SIZES = st.tuples(st.integers(1, 9999), st.integers(1, 9999))
LABELS = st.permutations(ALL_EMOTIONS).flatmap(
    lambda names: st.integers(2, 8).map(lambda count: tuple(names[:count]))
) | st.sampled_from([("track", "source", "frame"), ("=1+1", "'=1+1", "-", "@a"), ("'", "''", "+")])
FAILED = st.builds(FailedInput, TEXT, TEXT.map(InputError))


@st.composite
def image_results(draw, labels):
    faces = []
    for track in draw(st.lists(st.none() | st.integers(1, 5), max_size=3)):
        left, top = draw(EDGES), draw(EDGES)
        box = Box(left, top, left + draw(SIDES), top + draw(SIDES))
        count = len(labels)
        weights = np.array(draw(st.lists(st.floats(0, 1), min_size=count, max_size=count))) + 1e-6
        probabilities = (weights / weights.sum()).astype(np.float32)
        face = Face(box, draw(st.floats(0, 1)), track=track)
        faces.append(FacePrediction(face, Prediction(labels, probabilities, draw(st.floats(0, 1)))))
    time_s = draw(st.none() | st.floats(0, 1e5))
    frame = None if time_s is None else draw(st.integers(0, 10**7))
    return ImageResult(draw(TEXT), draw(SIZES), tuple(faces), time_s, frame)


@st.composite
def tables(draw):
    labels = draw(LABELS)
    return labels, draw(st.lists(image_results(labels) | FAILED, max_size=5))


def written(results, labels, name):
    stream = io.BytesIO() if name == "parquet" else io.StringIO(newline="")
    with open_table(stream, labels, format=name) as table:
        for result in results:
            table.write(result)
    if name != "parquet":
        stream.getvalue().encode("utf-8")
    stream.seek(0)
    return stream


def read_rows(stream, name):
    if name == "parquet":
        return pq.read_table(stream).to_pylist()
    if name == "jsonl":
        *lines, rest = stream.getvalue().split("\n")
        assert rest == ""
        return [json.loads(line) for line in lines]
    return [
        {
            column: COLUMN_TYPES.get(column, float)(cell) if cell or column == "source" else None
            for column, cell in row.items()
        }
        for row in (
            {unquote_csv_text(name): unquote_csv_text(cell) for name, cell in row.items()}
            for row in csv.DictReader(stream)
        )
    ]


@given(tables())
def test_every_row_format_gives_back_one_row_per_face_and_per_other_input(table):
    labels, results = table
    expected = [row for result in results for row in to_rows(result, labels)]
    assert len(expected) == sum(len(getattr(result, "faces", ())) or 1 for result in results)
    for name in set(TABLE_FORMATS) - {"json"}:
        rows = read_rows(written(results, labels, name), name)
        assert rows == expected
        assert all(tuple(row) == row_columns(labels) for row in rows)


@given(tables())
def test_json_gives_back_every_object(table):
    labels, results = table
    assert json.load(written(results, labels, "json")) == [each.to_dict() for each in results]


@given(tables())
def test_rows_hold_the_numbers_of_the_objects(table):
    labels, results = table
    first = row_columns(()).index("error")
    names = row_columns(labels)[first:-1]
    for result in results:
        record, rows = result.to_dict(), to_rows(result, labels)
        assert {row["source"] for row in rows} == {record["source"]}
        assert {row["error"] for row in rows} == {record["error"]}
        for face, row in zip(record["faces"], rows, strict=len(record["faces"]) > 0):
            assert [row[name] for name in names] == list(face["probabilities"].values())
            assert {edge: row[edge] for edge in face["box"]} == face["box"]
            assert (row["emotion"], row["confidence"]) == (face["emotion"], face["confidence"])
            assert row["track"] == face.get("track")
        if not record["faces"]:
            assert [(row["face"], row["track"]) for row in rows] == [(None, None)]


@given(tables())
def test_a_data_frame_has_the_same_cells(table):
    labels, results = table
    frame = to_frame(results, labels)
    rows = [row for result in results for row in to_rows(result, labels)]
    assert tuple(frame.columns) == row_columns(labels)
    for name in frame.columns:
        cells = [
            None if missing else cell
            for cell, missing in zip(frame[name], frame[name].isna(), strict=True)
        ]
        assert cells == [row[name] for row in rows]


@given(image_results(ALL_EMOTIONS))
def test_numbers_keep_six_digits_and_times_microseconds(result):
    record = result.to_dict()
    for found, face in zip(result.faces, record["faces"], strict=True):
        for label, probability in found.probabilities.items():
            assert abs(face["probabilities"][label] - probability) <= 1e-5 * probability
    if result.time_s is not None:
        assert abs(record["time_s"] - result.time_s) <= 1e-6


@given(image_results(ALL_EMOTIONS) | FAILED, st.integers(0, 200))
def test_text_is_printable_and_fits_any_encoding(result, width):
    text = as_text(result, width=width)
    assert all(one_line(line) == line for line in text.split("\n"))
    assert encodable(text, "ascii").isascii()
