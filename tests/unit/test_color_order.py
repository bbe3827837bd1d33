"""Arrays in the color order of OpenCV."""

from typing import Any

import cv2
import numpy as np
import pytest

from emopy import FERModel, Frame
from emopy.errors import InputError
from emopy.media import read_image
from emopy.models import to_tensor

RGB = np.random.default_rng(0).integers(0, 256, (64, 80, 3), np.uint8)
BGR = RGB[..., ::-1]
CALLS = [
    "predict",
    "predict_many",
    "predict_frames",
    "predict_faces",
    "predict_sequence",
    "explain",
]


@pytest.fixture(scope="module")
def model():
    return FERModel(detector="full-image")


def test_the_file_and_what_opencv_reads_from_it_give_the_same_prediction(astronaut_file):
    model = FERModel()
    expected = model.predict(astronaut_file).faces
    frame: Any = cv2.imread(str(astronaut_file))
    results: tuple[Any, ...] = (
        model.predict(frame, color="bgr"),
        next(model.predict_many([frame], color="bgr")),
        next(model.predict_frames([Frame(frame, 0, 0)], color="bgr", smoothing_s=0))[1],
    )
    for result in results:
        assert result[0].probabilities == pytest.approx(expected[0].probabilities, abs=1e-6)
        assert result[0].box == expected[0].box
    assert model.predict(frame)[0].box != expected[0].box


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_every_type_of_array_is_converted(dtype):
    scale = {np.uint8: 1, np.uint16: 257, np.float32: 1 / 255}[dtype]
    image = read_image((BGR * np.float64(scale)).astype(dtype), color="bgr")
    np.testing.assert_array_equal(image, RGB)
    assert image.flags.c_contiguous
    assert image.flags.writeable


def test_alpha_stays_last():
    alpha = np.random.default_rng(1).integers(0, 256, (64, 80, 1), np.uint8)
    expected = read_image(np.concatenate([RGB, alpha], axis=2))
    found = read_image(np.concatenate([BGR, alpha], axis=2), color="bgr")
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("shape", [(64, 80), (64, 80, 1)])
def test_gray_has_no_order(shape):
    gray = RGB[..., 0].reshape(shape)
    np.testing.assert_array_equal(read_image(gray, color="bgr"), read_image(gray))


def test_files_and_bytes_have_an_order_of_their_own(astronaut, astronaut_file):
    for source in (astronaut_file, astronaut_file.read_bytes()):
        np.testing.assert_array_equal(read_image(source, color="bgr"), astronaut)


def test_the_array_of_the_caller_is_unchanged_and_not_shared():
    given = BGR.copy()
    image = read_image(given, color="bgr")
    image[:] = 0
    np.testing.assert_array_equal(given, BGR)


@pytest.mark.parametrize(
    "form", [list, tuple, iter, np.stack, lambda crops: [crop.astype(np.uint8) for crop in crops]]
)
def test_crops_in_every_form_are_converted(model, form):
    crops = np.random.default_rng(2).integers(0, 256, (3, 48, 48, 3), np.uint8)
    expected = [each.probabilities for each in model.predict_faces(crops)]
    for call in (model.predict_faces, model.predict_sequence):
        found = [each.probabilities for each in call(form(crops[..., ::-1]), color="bgr")]
        np.testing.assert_array_equal(found, expected)
    assert not np.array_equal(to_tensor(crops, model.card.input),
                              to_tensor(crops[..., ::-1], model.card.input))  # fmt: skip


def test_gray_crops_and_no_crops_are_unchanged(model):
    gray = np.random.default_rng(2).integers(0, 256, (2, 48, 48), np.uint8)
    for form in (gray, gray[..., None], list(gray)):
        found = [each.probabilities for each in model.predict_faces(form, color="bgr")]
        expected = [each.probabilities for each in model.predict_faces(form)]
        np.testing.assert_array_equal(found, expected)
    assert model.predict_faces([], color="bgr") == ()


def test_an_explanation_depends_on_the_order(model):
    crop = np.random.default_rng(3).integers(0, 256, (48, 48, 3), np.uint8)
    expected, found = model.explain(crop), model.explain(crop[..., ::-1], color="bgr")
    np.testing.assert_array_equal(found.map, expected.map)


@pytest.mark.parametrize("color", ["RGB", "gbr", "", None, 3, ["bgr"]])
@pytest.mark.parametrize("call", CALLS)
def test_another_order_is_refused_at_the_call(model, call, color):
    given = RGB if call in ("predict", "explain") else [RGB]
    with pytest.raises(InputError, match=r"`color` must be 'rgb' or 'bgr'\. Received"):
        getattr(model, call)(given, color=color)


@pytest.mark.parametrize("crops", ["face.jpg", 7, [7], {"a": 1}, np.zeros((2, 48, 48, 3))])
def test_what_is_no_crop_is_refused_in_either_order(model, crops):
    with pytest.raises(InputError, match="`crops"):
        model.predict_faces(crops, color="bgr")
