"""What goes into a sink can be read back."""

import csv
import io
import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from emopy.errors import InputError
from emopy.labels import STANDARD_EMOTIONS
from emopy.present import CSVSink, JSONLSink, JSONSink, as_record, as_text, encodable
from emopy.types import Box, Face, FacePrediction, FailedInput, ImageResult, Prediction

TEXT = st.text(st.characters(), max_size=20)
EDGES = st.floats(-1e4, 1e4)
POSITIVE = st.floats(1, 1e4)


@st.composite
def faces(draw):
    left, top = draw(EDGES), draw(EDGES)
    weights = np.array(draw(st.lists(st.floats(0, 1), min_size=7, max_size=7))) + 1e-6
    shares = (weights / weights.sum()).astype(np.float32)
    box = Box(left, top, left + draw(POSITIVE), top + draw(POSITIVE))
    face = Face(box, draw(st.floats(0, 1)))
    return FacePrediction(face, Prediction(STANDARD_EMOTIONS, shares))


SIZES = st.tuples(st.integers(1, 9999), st.integers(1, 9999))
FOUND = st.builds(
    ImageResult, TEXT, SIZES, st.lists(faces(), max_size=3).map(tuple), st.none() | st.floats(0, 99)
)
RESULTS = st.lists(st.one_of(FOUND, st.builds(FailedInput, TEXT, TEXT.map(InputError))), max_size=4)


def written(sink_class, results):
    stream = io.StringIO(newline="")
    with sink_class(stream, STANDARD_EMOTIONS) as sink:
        for result in results:
            sink.write(result)
    stream.getvalue().encode("utf-8")
    return stream.getvalue()


@given(RESULTS)
def test_json_and_json_lines_give_back_every_record(results):
    expected = [as_record(result) for result in results]
    assert json.loads(written(JSONSink, results)) == expected
    lines = written(JSONLSink, results).split("\n")
    assert [json.loads(line) for line in lines[:-1]] == expected
    assert lines[-1] == ""


@given(RESULTS)
def test_csv_gives_back_every_face_and_every_input(results):
    rows = list(csv.DictReader(io.StringIO(written(CSVSink, results), newline="")))
    expected = [
        (record["source"], record["error"], face)
        for record in map(as_record, results)
        for face in record["faces"] or [None]
    ]
    assert len(rows) == len(expected)
    for row, (source, error, face) in zip(rows, expected, strict=True):
        assert (row["source"], row["error"] or None) == (source, error)
        assert (row["face"] == "") == (face is None)
        if face is not None:
            assert {label: float(row[label]) for label in STANDARD_EMOTIONS} == face[
                "probabilities"
            ]
            assert {edge: float(row[edge]) for edge in face["box"]} == face["box"]


@given(FOUND)
def test_numbers_keep_six_digits(result):
    for found, face in zip(result.faces, as_record(result)["faces"], strict=True):
        for label, share in found.probabilities.items():
            assert abs(face["probabilities"][label] - share) <= 1e-5 * share


@given(st.one_of(FOUND, st.builds(FailedInput, TEXT, TEXT.map(InputError))), st.integers(0, 200))
def test_text_is_printable_and_fits_any_encoding(result, width):
    text = as_text(result, width=width)
    assert all(line.isprintable() for line in text.split("\n"))
    assert encodable(text, "ascii").isascii()
