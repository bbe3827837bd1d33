"""Results as plain numbers and text."""

import json

import numpy as np

from emopy.present import as_record
from emopy.types import Box, Face, FacePrediction, FailedInput, ImageResult, Prediction


def test_a_record_holds_everything_that_was_found(results):
    record = as_record(results[0])
    face = record["faces"][0]
    assert list(record) == ["source", "width", "height", "faces", "error"]
    assert (record["width"], record["height"], record["error"]) == (640, 480, None)
    assert face["box"] == {"left": 10, "top": 20, "right": 60, "bottom": 80}
    assert (face["face"], face["emotion"], face["confidence"]) == (1, "happiness", 0.7)
    assert face["landmarks"][1] == [2, 3]
    assert face["score"] == 0.987654
    assert list(face["probabilities"]) == list(results[0].faces[0].prediction.labels)
    assert record["faces"][1]["landmarks"] is None


def test_all_records_have_the_same_keys(results):
    assert len({tuple(as_record(result)) for result in results}) == 1
    assert as_record(results[2])["error"] == "`source` must hold an image."
    assert as_record(FailedInput("a", ValueError()))["error"] == "ValueError"


def test_video_frames_and_tracks_are_kept(found):
    face = found((0, 0, 9, 9))
    tracked = FacePrediction(Face(face.box, track=4), face.prediction)
    record = as_record(ImageResult("clip", (9, 9), (tracked,), time_s=1 / 3))
    assert (record["time_s"], record["faces"][0]["track"]) == (0.333333, 4)
    late = as_record(ImageResult("clip", (9, 9), (), time_s=86399.9871234, frame=2_159_999))
    assert (late["time_s"], late["frame"]) == (86399.987123, 2_159_999)


def test_what_is_not_a_number_becomes_null():
    broken = Prediction(("a", "b"), np.array([np.nan, np.inf], np.float32))
    result = ImageResult("a", (9, 9), (FacePrediction(Face(Box(0, 0, 1, 1)), broken),))
    face = as_record(result)["faces"][0]
    assert face["probabilities"] == {"a": None, "b": None}
    json.dumps(face, allow_nan=False)
