import numpy as np
import pytest

from emopy.errors import InputError, ModelNotFoundError
from emopy.faces import (
    MTCNN,
    FullImage,
    align_face,
    detect,
    get_detector,
    largest_first,
    list_detectors,
    register_detector,
)
from emopy.models import InputSpec
from emopy.types import Box, Face


def test_the_built_in_detectors_are_known():
    assert {"full-image", "mtcnn", "yunet"} <= set(list_detectors())


def test_a_name_gives_a_detector_with_its_settings():
    detector = get_detector("mtcnn", min_face_size=40, threads=1)
    assert isinstance(detector, MTCNN)
    assert detector.min_face_size == 40


def test_an_unknown_name_lists_the_nearest():
    with pytest.raises(ModelNotFoundError, match=r"'mtcn'\. Did you mean 'mtcnn'.*full-image"):
        get_detector("mtcn")


def test_an_unknown_setting_lists_the_nearest():
    with pytest.raises(InputError, match=r"`min_face` .* Did you mean 'min_face_size'"):
        get_detector("mtcnn", min_face=40)


def test_a_detector_without_settings_refuses_them():
    with pytest.raises(InputError, match="It has no settings"):
        get_detector("full-image", threads=2)


def test_faces_are_sorted_by_area_and_equal_ones_keep_their_order():
    sizes = [(2, 9), (9, 9), (9, 2), (1, 1), (5, 5)]
    faces = [Face(Box(0, 0, width, height), 1.0, None) for width, height in sizes]
    assert largest_first(iter(faces)) == tuple(faces[i] for i in (1, 4, 0, 2, 3))
    assert largest_first([]) == ()


def test_any_callable_is_a_detector():
    def nothing(image):
        return ()

    assert get_detector(nothing) is nothing


BLACK = np.zeros((90, 90, 3), np.uint8)
BOXES = np.array([[0, 0, 20, 20], [10, 5, 60, 70]])
SCORES = np.array([0.5, 0.75])
POINTS = np.arange(20).reshape(2, 5, 2)


@pytest.mark.parametrize(
    "found, scores, landmarks",
    [
        (tuple(Face(Box(*box)) for box in BOXES.tolist()), (1, 1), None),
        ([Face(Box(*box)) for box in BOXES.tolist()], (1, 1), None),
        ([Box(*box) for box in BOXES.tolist()], (1, 1), None),
        (BOXES, (1, 1), None),
        (BOXES.astype(np.float32), (1, 1), None),
        (BOXES.tolist(), (1, 1), None),
        (tuple(map(tuple, BOXES.tolist())), (1, 1), None),
        (np.column_stack([BOXES, SCORES]), (0.75, 0.5), None),
        ((BOXES, SCORES), (0.75, 0.5), None),
        ((BOXES.tolist(), SCORES.tolist()), (0.75, 0.5), None),
        ((BOXES, SCORES, POINTS), (0.75, 0.5), POINTS[::-1]),
    ],
)
def test_a_detector_may_return_faces_boxes_or_arrays(found, scores, landmarks):
    faces = largest_first(detect(lambda image: found, BLACK))
    assert [face.box for face in faces] == [Box(10, 5, 60, 70), Box(0, 0, 20, 20)]
    assert tuple(face.score for face in faces) == scores
    if landmarks is None:
        assert [face.landmarks for face in faces] == [None, None]
    else:
        assert np.array_equal([face.landmarks for face in faces], landmarks)


@pytest.mark.parametrize(
    "found",
    [(), [], np.zeros((0, 4)), np.array([]), iter(()), (np.zeros((0, 4)), []), np.zeros((0, 5))],
)
def test_a_detector_may_return_no_face_in_every_form(found):
    assert detect(lambda image: found, BLACK) == ()


@pytest.mark.parametrize(
    "found, received",
    [
        (None, r"Received None. Return \(\) where there is no face"),
        (7, "an int: 7"),
        ("face", "a str: 'face'"),
        (np.zeros((2, 3)), r"an array of shape \(2, 3\)"),
        ([{"box": [1, 2, 3, 4]}], "a list"),
        ([(1, 2, 3)], "a list"),
        ((BOXES, SCORES[:1]), "a tuple"),
        ((BOXES, SCORES, POINTS[:1]), "a tuple"),
        ((10, 10, 40, 40), "a tuple"),
        ([(40, 40, 10, 10)], "do not fit: `Box` must have left < right"),
        (np.full((1, 4), np.nan), "do not fit: `Box` must have finite edges"),
    ],
)
def test_what_a_detector_may_not_return_is_answered_with_the_accepted_forms(found, received):
    with pytest.raises(InputError, match=received) as caught:
        detect(lambda image: found, BLACK)
    assert str(caught.value).startswith("`detector` must return a tuple of Face; or boxes (n, 4)")


def test_faces_outside_the_image_are_an_error_of_the_detector():
    with pytest.raises(InputError, match=r"`detector` must .* part of the image, 90 × 90.*left=90"):
        detect(lambda image: [(5, 5, 40, 40), (90, 5, 120, 40)], BLACK)


@pytest.mark.parametrize("name", ["mtcnn", "full-image"])
@pytest.mark.parametrize("image", [BLACK[..., 0], BLACK / 255, BLACK[:0], None, "a.jpg"])
def test_only_rgb_images_are_searched(name, image):
    with pytest.raises(InputError, match="`image` must be an RGB image"):
        get_detector(name)(image)


@pytest.mark.parametrize("wrong", [7, None, FullImage])
def test_what_is_not_a_detector_is_refused(wrong):
    with pytest.raises(InputError, match="`detector` must be a name or a callable"):
        get_detector(wrong)


def test_settings_with_a_ready_detector_are_refused():
    with pytest.raises(InputError, match="`settings` must go with the name"):
        get_detector(FullImage(), threads=2)


def test_a_new_detector_can_be_registered():
    @register_detector("corner")
    def corner(**settings):
        return lambda image: FullImage()(image[: settings["size"], : settings["size"]])

    (face,) = get_detector("corner", size=5)(np.zeros((20, 20, 3), np.uint8))
    assert face.box.width == 5


def test_a_taken_name_is_refused():
    with pytest.raises(InputError, match="'mtcnn', which is taken"):
        register_detector("mtcnn")(FullImage)


def test_the_full_image_is_the_face():
    (face,) = FullImage()(np.zeros((30, 50, 3), np.uint8))
    assert (face.box.left, face.box.top, face.box.right, face.box.bottom) == (0, 0, 50, 30)
    assert face.landmarks is None


def test_a_face_crop_is_not_changed():
    crop = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    (face,) = FullImage()(crop)
    np.testing.assert_array_equal(align_face(crop, face, InputSpec(48, 48)), crop)


def test_a_narrow_image_keeps_its_aspect_ratio():
    image = np.zeros((96, 48, 3), np.uint8)
    image[:, 24:] = 255
    crop = align_face(image, FullImage()(image)[0], InputSpec(48, 48))
    assert (crop[:, :23] == 0).all()
    assert (crop[:, 25:] == 255).all()
