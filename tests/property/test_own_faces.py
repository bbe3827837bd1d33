"""Whatever is given as faces is predicted or refused with an `InputError`."""

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from emopy.errors import InputError
from emopy.faces import align_face, read_boxes
from emopy.faces.detectors import check_own_faces, own_faces
from emopy.models import InputSpec
from emopy.present import open_table
from emopy.result_table import comparable_source
from emopy.types import Box, Face, FacePrediction, ImageResult, Prediction

IMAGE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
SPEC = InputSpec(48, 48)

near = st.floats(-200, 200, width=32)
numbers = st.one_of(near, st.floats())
rows = st.lists(numbers, min_size=3, max_size=6)
landmarks = st.lists(st.one_of(near, st.floats(width=32)), min_size=10, max_size=10)
PREDICTION = Prediction(("anger", "fear"), np.array([0.5, 0.5], np.float32))


def cropped(given):
    """The crops of faces that were given; None if they are refused."""
    try:
        faces = own_faces(given)
        check_own_faces(faces, IMAGE, "a.jpg")
    except InputError:
        return None
    return [align_face(IMAGE, face, SPEC) for face in faces]


@settings(max_examples=100)
@given(st.lists(rows, max_size=3))
def test_boxes_of_any_numbers_are_cropped_or_refused(boxes):
    crops = cropped(boxes)
    assert crops is None or {crop.shape for crop in crops} <= {(48, 48, 3)}


@settings(max_examples=100)
@given(landmarks)
def test_landmarks_of_any_numbers_are_cropped_or_refused(points):
    marks = np.array(points, np.float32).reshape(5, 2)
    crops = cropped([Face(Box(5, 5, 30, 35), 1, marks)])
    assert crops is None or crops[0].shape == (48, 48, 3)


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(
            st.text(min_size=1),
            st.lists(st.tuples(near, near, st.floats(1, 99), st.floats(1, 99)), max_size=3),
        ),
        max_size=4,
        unique_by=lambda image: comparable_source(image[0]),
    )
)
@example([("\n", [(0.0, 0.0, 1.0, 1.0)])])
@example([("\t", [(0.0, 0.0, 1.0, 1.0)])])
def test_a_table_of_results_gives_the_boxes_back(images):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.csv"
        with open_table(path, PREDICTION.labels) as table:
            for name, boxes in images:
                found = [Face(Box(x, y, x + w, y + h)) for x, y, w, h in boxes]
                faces = tuple(FacePrediction(face, PREDICTION) for face in found)
                table.write(ImageResult(name, (60, 40), faces))
        read = read_boxes(path)
    for name, boxes in images:
        edges = [[getattr(face.box, edge) for edge in ("left", "top", "right", "bottom")]
                 for face in read.faces_of(name)]  # fmt: skip
        expected = np.array([(x, y, x + w, y + h) for x, y, w, h in boxes]).reshape(-1, 4)
        np.testing.assert_allclose(np.reshape(edges, (-1, 4)), expected, rtol=1e-5, atol=1e-30)
