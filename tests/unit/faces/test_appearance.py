import cv2
import numpy as np
import pytest

from emopy.faces import MTCNN
from emopy.faces.appearance import ShotChanges, appearance, cosine_similarity
from emopy.types import Box, Face


@pytest.fixture(scope="module")
def coffee():
    from skimage.data import coffee

    return cv2.resize(coffee(), (640, 480))


@pytest.fixture
def room(astronaut):
    return cv2.resize(astronaut, (640, 480))


def is_shot_change(before, after):
    is_new_shot = ShotChanges()
    is_new_shot(before)
    return is_new_shot(after)


def view(image, *, right=0, down=0, closer=1.0):
    matrix = np.array([[closer, 0, -40 - right], [0, closer, -40 - down]], np.float32)
    return cv2.warpAffine(image, matrix, (520, 390))


def test_another_image_is_a_shot_change(room, coffee):
    assert is_shot_change(room, coffee)
    assert is_shot_change(room, np.ascontiguousarray(room[:, ::-1]))


@pytest.mark.parametrize(
    "change", [{"right": 30}, {"right": -30, "down": 20}, {"closer": 1.06}], ids=str
)
def test_a_moving_camera_is_no_shot_change(room, coffee, change):
    for image in (room, coffee):
        assert not is_shot_change(view(image), view(image, **change))


@pytest.mark.parametrize(("gain", "offset"), [(0.5, 0), (1.4, 0), (1.0, 35)])
def test_a_change_of_light_is_no_shot_change(coffee, gain, offset):
    lit = np.clip(coffee * gain + offset, 0, 255).astype(np.uint8)
    assert not is_shot_change(coffee, lit)


def test_a_person_who_leaves_is_no_shot_change(room, coffee):
    there = coffee.copy()
    there[60:, 150:450] = room[60:, 150:450]
    assert not is_shot_change(there, coffee)
    assert not is_shot_change(coffee, there)


def test_black_frames_are_skipped(room, coffee):
    black = np.zeros_like(room)
    is_new_shot = ShotChanges()
    assert [is_new_shot(image) for image in (room, black, black, room, black, coffee)] == [
        False,
        False,
        False,
        False,
        False,
        True,
    ]


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (900, 2), (17, 31)])
def test_images_of_any_shape_are_accepted(shape):
    images = np.random.default_rng(0).integers(0, 256, (2, *shape, 3), np.uint8)
    assert is_shot_change(*images) in (True, False)


def test_tilt_size_and_light_hardly_change_the_descriptor(astronaut):
    detector = MTCNN()
    matrix = cv2.getRotationMatrix2D((224, 120), 20, 0.7)
    turned = cv2.convertScaleAbs(cv2.warpAffine(astronaut, matrix, (512, 512)), alpha=0.7, beta=20)
    descriptors = [appearance(image, detector(image)[0]) for image in (astronaut, turned)]
    assert cosine_similarity(*descriptors) > 0.85


def test_a_plain_face_has_no_descriptor():
    assert appearance(np.full((60, 60, 3), 90, np.uint8), Face(Box(5, 5, 45, 50))) is None
