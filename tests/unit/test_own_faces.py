"""Faces that the caller gives: `FERModel.predict(image, faces=…)` and pairs in `predict_many`."""

import numpy as np
import pytest

from emopy import Box, Face, FailedInput, FERModel, ImageResult
from emopy.errors import InputError
from emopy.faces import FullImage
from emopy.samples import sample_images

BOXES = [(5, 6, 30, 40), (2, 3, 60, 50), (-9, -9, 20, 20)]
IMAGE = np.random.default_rng(0).integers(0, 256, (64, 80, 3), np.uint8)
EYES = np.array([[10, 12], [24, 12], [17, 20], [11, 28], [23, 28]], np.float32)


def searched(image):
    raise AssertionError("no face may be searched for")


@pytest.fixture(scope="module")
def model():
    return FERModel(detector=searched)


@pytest.fixture(scope="module")
def found():
    """Sample images and what the real detector finds in them."""
    model = FERModel()
    return [(path, model.predict(path)) for path in sample_images().values()]


def edges(result):
    return [(face.box.left, face.box.top, face.box.right, face.box.bottom) for face in result]


def probabilities(result):
    return np.array([face.prediction.probabilities for face in result])


def test_the_faces_of_the_detector_have_the_same_probabilities_when_they_are_given(model, found):
    assert sum(len(result) for _, result in found) >= len(found) > 3
    for path, result in found:
        faces = [face.face for face in result]
        for given in (faces, tuple(faces), result, result.faces, _as_arrays(faces)):
            again = model.predict(path, faces=given)
            assert edges(again) == edges(result)
            np.testing.assert_array_equal(probabilities(again), probabilities(result))
            assert [face.face.score for face in again] == [face.score for face in faces]


def _as_arrays(faces):
    boxes = [(face.box.left, face.box.top, face.box.right, face.box.bottom) for face in faces]
    return np.array(boxes), [face.score for face in faces], [face.landmarks for face in faces]


@pytest.mark.parametrize("faces", [[(180, 64, 265)], [(1, 2, 9, 9), (1, 2, 9, 9, 1, 1)], [()]])
def test_a_row_with_another_count_of_numbers_is_explained(model, faces):
    with pytest.raises(InputError, match="A box has four numbers: left, top, right, bottom"):
        model.predict(IMAGE, faces=faces)


def test_many_images_with_their_faces_give_what_single_ones_do(model, found):
    pairs = [(path, [face.face for face in result]) for path, result in found]
    for again, (path, result) in zip(model.predict_many(pairs), found, strict=True):
        assert again.source == str(path)
        np.testing.assert_allclose(probabilities(again), probabilities(result), atol=1e-6)


@pytest.mark.parametrize(
    "faces, scores",
    [
        (BOXES, (1, 1, 1)),
        ([list(box) for box in BOXES], (1, 1, 1)),
        ([Box(*box) for box in BOXES], (1, 1, 1)),
        ([Face(Box(*box), 0.5) for box in BOXES], (0.5, 0.5, 0.5)),
        ([BOXES[0], Box(*BOXES[1]), Face(Box(*BOXES[2]), 0.25, EYES)], (1, 1, 0.25)),
        (np.array(BOXES), (1, 1, 1)),
        (np.array(BOXES, np.float32), (1, 1, 1)),
        (np.column_stack([BOXES, [0.5, 0.25, 1]]), (0.5, 0.25, 1)),
        ((np.array(BOXES), np.array([0.5, 0.25, 1])), (0.5, 0.25, 1)),
        ((BOXES, [0.5, 0.25, 1], [EYES] * 3), (0.5, 0.25, 1)),
        (iter(BOXES), (1, 1, 1)),
    ],
)
def test_faces_in_every_form_keep_their_order(model, faces, scores):
    result = model.predict(IMAGE, faces=faces)
    assert edges(result) == BOXES
    assert tuple(face.face.score for face in result) == scores


def test_landmarks_align_a_face_and_a_box_alone_does_not(model):
    plain, aligned = model.predict(IMAGE, faces=[BOXES[0], Face(Box(*BOXES[0]), 1, EYES)])
    assert not np.allclose(plain.prediction.probabilities, aligned.prediction.probabilities)


@pytest.mark.parametrize(
    "faces", [(), [], np.zeros((0, 4)), np.array([]), (np.zeros((0, 4)), np.zeros(0))]
)
def test_no_faces_give_a_result_without_faces(model, faces):
    result = model.predict(IMAGE, faces=faces)
    assert (result.faces, result.size) == ((), (80, 64))


def test_without_faces_the_detector_searches(found):
    assert len(FERModel(detector=FullImage()).predict(IMAGE, faces=None)) == 1


@pytest.mark.parametrize(
    "faces, received",
    [
        ((5, 6, 30, 40), r"Put a single face into a list: faces=\[\(left, top, right, bottom\)\]"),
        (Box(5, 6, 30, 40), "Put a single face into a list"),
        (Face(Box(5, 6, 30, 40)), "Put a single face into a list"),
        ("a.csv", "a str: 'a.csv'"),
        (7, "an int: 7"),
        ([(1, 2, 3)], "a list"),
        ([None], "a list"),
        ([BOXES[0], (1, 2, 3)], "a list"),
        (np.zeros((2, 3)), r"an array of shape \(2, 3\)"),
        (np.zeros((2, 4, 1)), r"an array of shape \(2, 4, 1\)"),
        ((np.array(BOXES), np.ones(2)), "a tuple"),
        ((np.array(BOXES), np.ones(3), np.ones((3, 2, 5))), "a tuple"),
        ([(30, 6, 5, 40)], "`Box` must have left < right"),
        ([(5, 6, 5, 40)], "`Box` must have left < right"),
        ([(5, 6, float("nan"), 40)], "`Box` must have finite edges"),
        ([(5, 6, float("inf"), 40)], "`Box` must have finite edges"),
        (
            [BOXES[0], (80, 0, 99, 20)],
            r"a part of the image, 80 × 64. .*left=80.*face 2 of '<array>'",
        ),
        ([(0, -20, 20, 0)], "a part of the image"),
        ([(0, 0, 1e-300, 1e-300)], "sides of 0.01 to 1,000,000 pixels"),
        ([(0, 0, 1e200, 1e200)], "sides of 0.01 to 1,000,000 pixels"),
        ([Face(Box(0, 0, 9, 9), 1, EYES * np.float32("nan"))], "landmarks from -1,000,000"),
        ([Face(Box(0, 0, 9, 9), 1, EYES * np.float32(1e30))], "landmarks from -1,000,000"),
    ],
)
def test_what_is_no_face_of_the_image_is_refused_by_name(model, faces, received):
    with pytest.raises(InputError, match=received) as caught:
        model.predict(IMAGE, faces=faces)
    assert str(caught.value).startswith("`faces` must")
    good, bad, last = model.predict_many([(IMAGE, BOXES), (IMAGE, faces), (IMAGE, BOXES[:1])])
    assert isinstance(bad, FailedInput)
    assert (bad.source, str(bad.error)) == ("<array>", str(caught.value))
    assert (len(good), len(last)) == (3, 1)


@pytest.mark.parametrize("side", [0.02, 1e5, 1e6])
def test_tiny_and_huge_boxes_are_predicted(model, side):
    (face,) = model.predict(IMAGE, faces=[(9, 9, 9 + side, 9 + side)])
    assert np.isfinite(face.prediction.probabilities).all()


def test_scattered_landmarks_leave_the_crop_to_the_box(model):
    corners = np.array([[0, 0], [30, 0], [15, 15], [30, 30], [0, 30]], np.float32)
    rotated = np.array([[30, 0], [0, 0], [15, 15], [0, 30], [30, 30]], np.float32)
    for points in (corners, rotated):
        (face,) = model.predict(IMAGE, faces=[Face(Box(0, 0, 30, 30), 1, points)])
        assert np.isfinite(face.prediction.probabilities).all()


def test_images_alone_and_pairs_may_be_mixed():
    model = FERModel(detector="full-image")
    given = [IMAGE, (IMAGE, BOXES), (IMAGE, None), (IMAGE, ()), ("none.jpg", BOXES), (IMAGE,)]
    results = list(model.predict_many(given))
    counts = [len(result) for result in results if isinstance(result, ImageResult)]
    assert counts == [1, 3, 1, 0]
    missing, no_image = results[4:]
    assert isinstance(missing, FailedInput)
    assert "no such file" in str(missing.error)
    assert isinstance(no_image, FailedInput)


def test_the_arrays_of_a_pair_may_change_afterwards(model):
    def reused():
        boxes, scores, points = np.empty((1, 4)), np.ones(1), np.empty((1, 5, 2), np.float32)
        for step in range(6):
            boxes[:] = (step, step, step + 20, step + 20)
            points[:] = EYES + step
            yield IMAGE, (boxes, scores, points)

    for step, result in enumerate(model.predict_many(reused())):
        assert edges(result) == [(step, step, step + 20, step + 20)]
        np.testing.assert_array_equal(result[0].face.landmarks, EYES + step)
