"""The one row schema and the one JSON schema: `rows.csv` and `result.json` show them."""

import io
import json
from pathlib import Path

import numpy as np

from emopy.errors import InputError
from emopy.present import open_table
from emopy.result_table import row_columns
from emopy.types import Box, Face, FacePrediction, FailedInput, ImageResult, Prediction

HERE = Path(__file__).parent
LABELS = ("calm", "anger", "happiness")


def face(box, probabilities, *, landmarks=None, track=None, min_confidence=0.0):
    prediction = Prediction(LABELS, np.array(probabilities, np.float32), min_confidence)
    return FacePrediction(Face(Box(*box), 0.987654321, landmarks, track), prediction)


LANDMARKS = np.array([[30, 40], [50, 40.5], [40, 50], [32, 65], [48, 65]], np.float32)
RESULTS = [
    ImageResult(
        "photos/group, 1.jpg",
        (640, 480),
        (
            face((10, 20, 60, 80), (0.125, 0.125, 0.75), landmarks=LANDMARKS),
            face((-5.25, 0, 7.125, 9), (0.4, 0.35, 0.25), min_confidence=0.5),
        ),
    ),
    ImageResult("photos/wall.jpg", (64, 48)),
    FailedInput("photos/broken.jpg", InputError("`source` must hold an image.")),
    ImageResult(
        "clip.mp4", (320, 240), (face((1, 2, 33, 44), (0.1, 0.7, 0.2), track=4),), 3600.04, 90_001
    ),
    ImageResult("clip.mp4", (320, 240), (), 3600.08, 90_002),
]


def written(name):
    stream = io.StringIO(newline="")
    with open_table(stream, LABELS, format=name) as table:
        for result in RESULTS:
            table.write(result)
    return stream.getvalue()


def test_columns_are_those_of_the_schema():
    assert row_columns(LABELS) == (
        *("source", "width", "height", "time_s", "frame", "face", "track"),
        *("left", "top", "right", "bottom", "score", "emotion", "confidence"),
        *LABELS,
        "error",
    )


def test_csv_rows_are_the_golden_rows():
    assert written("csv") == (HERE / "rows.csv").read_text(encoding="utf-8")


def test_json_objects_are_the_golden_objects():
    assert written("json") == (HERE / "result.json").read_text(encoding="utf-8")


def test_json_lines_hold_the_golden_rows():
    head, *rows = (HERE / "rows.csv").read_text(encoding="utf-8").splitlines()
    lines = [json.loads(line) for line in written("jsonl").splitlines()]
    assert len(lines) == len(rows)
    assert all(",".join(line) == head for line in lines)
