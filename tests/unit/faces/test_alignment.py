import cv2
import numpy as np
import pytest

from emopy.errors import InputError
from emopy.faces import FRAMING, MTCNN, align_face
from emopy.faces.alignment import box_transform, landmark_transform
from emopy.models.card import InputSpec
from emopy.types import Box, Face

SPEC = InputSpec(48, 48)


def moved(points, matrix):
    return points @ matrix[:, :2].T + matrix[:, 2]


def correlation(one, other):
    return np.corrcoef(one.ravel().astype(float), other.ravel().astype(float))[0, 1]


def test_the_framing_is_an_upright_face_and_cannot_be_changed():
    left_eye, right_eye, nose, left_mouth, right_mouth = FRAMING
    assert left_eye[1] == right_eye[1] < nose[1] < left_mouth[1] == right_mouth[1]
    assert left_eye[0] < nose[0] < right_eye[0]
    with pytest.raises(ValueError, match="read-only"):
        FRAMING[0, 0] = 0


def test_landmarks_of_the_typical_face_are_not_moved():
    matrix = landmark_transform(FRAMING * 48, SPEC)
    np.testing.assert_allclose(matrix, [[1, 0, 0], [0, 1, 0]], atol=1e-5)


def test_a_crop_of_the_typical_face_is_unchanged():
    crop = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    face = Face(Box(1, 1, 40, 40), landmarks=FRAMING * 48)
    np.testing.assert_array_equal(align_face(crop, face, SPEC), crop)


def test_a_margin_shows_more_on_every_side():
    wide = InputSpec(48, 48, margin=0.25)
    edges = moved(np.array([[0.0, 0.0], [48.0, 48.0]]), landmark_transform(FRAMING * 48, wide))
    np.testing.assert_allclose(edges, [[8, 8], [40, 40]], atol=1e-4)


def test_a_wide_crop_centers_the_face():
    matrix = landmark_transform(FRAMING * 48, InputSpec(48, 96))
    np.testing.assert_allclose(matrix, [[1, 0, 24], [0, 1, 0]], atol=1e-5)


def test_the_crop_does_not_depend_on_the_box_where_landmarks_are_known(astronaut):
    (face,) = MTCNN()(astronaut)
    shifted = Face(Box(192, 72, 276, 186), landmarks=face.landmarks)
    np.testing.assert_array_equal(
        align_face(astronaut, face, SPEC), align_face(astronaut, shifted, SPEC)
    )


@pytest.mark.parametrize("angle_deg", [-20, -10, 10, 20])
def test_a_tilted_head_gives_nearly_the_same_crop(astronaut, angle_deg):
    detector = MTCNN()
    (face,) = detector(astronaut)
    matrix = cv2.getRotationMatrix2D((224, 120), angle_deg, 1.0)
    turned = cv2.warpAffine(
        astronaut, matrix, (512, 512), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    )
    tilted = detector(turned)[0]
    # Where the upright face's landmarks come to lie in the tilted face's crop.
    placed = moved(moved(face.landmarks, matrix), landmark_transform(tilted.landmarks, SPEC))
    upright = moved(face.landmarks, landmark_transform(face.landmarks, SPEC))
    assert np.abs(placed - upright).max() < 2.5
    assert correlation(align_face(turned, tilted, SPEC), align_face(astronaut, face, SPEC)) > 0.9


def test_without_landmarks_the_box_sets_nearly_the_same_framing(astronaut):
    (face,) = MTCNN()(astronaut)
    by_box = moved(face.landmarks, box_transform(face.box, SPEC))
    by_landmarks = moved(face.landmarks, landmark_transform(face.landmarks, SPEC))
    assert np.abs(by_box - by_landmarks).max() < 6


def test_equal_landmarks_fall_back_to_the_box(astronaut):
    box = Box(181, 60, 267, 174)
    equal = Face(box, landmarks=np.full((5, 2), 200, np.float32))
    np.testing.assert_array_equal(
        align_face(astronaut, equal, SPEC), align_face(astronaut, Face(box), SPEC)
    )


def test_downsizing_averages_and_does_not_skip_pixels():
    # Stripes one pixel wide: skipping pixels would show black or white, averaging shows gray.
    image = np.zeros((960, 960, 3), np.uint8)
    image[:, ::2] = 255
    crop = align_face(image, Face(Box(0, 0, 10, 10), landmarks=FRAMING * 960), SPEC)
    assert np.abs(crop.astype(int) - 127).max() <= 1


@pytest.mark.parametrize("box", [Box(-60, -60, 40, 40), Box(90, 90, 200, 200), Box(99, 0, 600, 90)])
def test_pixels_beyond_the_border_repeat_the_nearest_pixel(box):
    image = np.full((100, 100, 3), 77, np.uint8)
    assert (align_face(image, Face(box), SPEC) == 77).all()


@pytest.mark.parametrize(
    "box", [Box(100, 0, 600, 90), Box(-9, 0, 0, 9), Box(0, -9, 9, 0), Box(0, 100, 9, 109)]
)
@pytest.mark.parametrize("landmarks", [None, FRAMING * 50])
def test_a_box_wholly_outside_the_image_is_refused(box, landmarks):
    image = np.full((100, 100, 3), 77, np.uint8)
    with pytest.raises(InputError, match=r"`face` must have a box that shows .*100 × 100"):
        align_face(image, Face(box, landmarks=landmarks), SPEC)


@pytest.mark.parametrize(
    "image", [np.zeros((9, 9)), np.zeros((9, 9, 4), np.uint8), np.zeros((0, 9, 3), np.uint8), None]
)
def test_only_rgb_images_are_cropped(image):
    with pytest.raises(InputError, match="`image` must be an RGB image"):
        align_face(image, Face(Box(0, 0, 9, 9)), SPEC)


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (3, 3)])
def test_an_image_smaller_than_the_crop_is_enlarged(shape):
    image = np.full((*shape, 3), 9, np.uint8)
    crop = align_face(image, Face(Box(0, 0, shape[1], shape[0])), SPEC)
    assert crop.shape == (48, 48, 3)
    assert (crop == 9).all()
