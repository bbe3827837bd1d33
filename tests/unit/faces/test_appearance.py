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


def is_cut(before, after):
    cuts = ShotChanges()
    cuts(before)
    return cuts(after)


def seen(image, *, right=0, down=0, closer=1.0):
    matrix = np.array([[closer, 0, -40 - right], [0, closer, -40 - down]], np.float32)
    return cv2.warpAffine(image, matrix, (520, 390))


def test_another_image_is_a_cut(room, coffee):
    assert is_cut(room, coffee)
    assert is_cut(room, np.ascontiguousarray(room[:, ::-1]))


@pytest.mark.parametrize(
    "change", [{"right": 30}, {"right": -30, "down": 20}, {"closer": 1.06}], ids=str
)
def test_a_camera_that_moves_is_no_cut(room, coffee, change):
    for image in (room, coffee):
        assert not is_cut(seen(image), seen(image, **change))


@pytest.mark.parametrize(("gain", "offset"), [(0.5, 0), (1.4, 0), (1.0, 35)])
def test_a_change_of_light_is_no_cut(coffee, gain, offset):
    lit = np.clip(coffee * gain + offset, 0, 255).astype(np.uint8)
    assert not is_cut(coffee, lit)


def test_somebody_large_who_leaves_is_no_cut(room, coffee):
    there = coffee.copy()
    there[60:, 150:450] = room[60:, 150:450]
    assert not is_cut(there, coffee)
    assert not is_cut(coffee, there)


def test_black_frames_are_passed_over(room, coffee):
    black = np.zeros_like(room)
    cuts = ShotChanges()
    assert [cuts(image) for image in (room, black, black, room, black, coffee)] == [
        False,
        False,
        False,
        False,
        False,
        True,
    ]


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (900, 2), (17, 31)])
def test_images_of_any_shape_are_taken(shape):
    images = np.random.default_rng(0).integers(0, 256, (2, *shape, 3), np.uint8)
    assert is_cut(*images) in (True, False)


def test_tilt_size_and_light_change_a_look_little(astronaut):
    detector = MTCNN()
    matrix = cv2.getRotationMatrix2D((224, 120), 20, 0.7)
    turned = cv2.convertScaleAbs(cv2.warpAffine(astronaut, matrix, (512, 512)), alpha=0.7, beta=20)
    looks = [appearance(image, detector(image)[0]) for image in (astronaut, turned)]
    assert cosine_similarity(*looks) > 0.85


def test_a_face_of_one_colour_has_no_look():
    assert appearance(np.full((60, 60, 3), 90, np.uint8), Face(Box(5, 5, 45, 50))) is None
