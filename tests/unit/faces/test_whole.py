import numpy as np

from emopy.faces import WholePicture, align_face
from emopy.models.card import InputSpec


def test_the_picture_is_the_face():
    (face,) = WholePicture()(np.zeros((30, 50, 3), np.uint8))
    assert (face.box.left, face.box.top, face.box.right, face.box.bottom) == (0, 0, 50, 30)
    assert face.landmarks is None


def test_a_face_crop_passes_unchanged():
    crop = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    (face,) = WholePicture()(crop)
    np.testing.assert_array_equal(align_face(crop, face, InputSpec(48, 48)), crop)


def test_an_oblong_picture_keeps_its_proportions():
    picture = np.zeros((96, 48, 3), np.uint8)
    picture[:, 24:] = 255
    crop = align_face(picture, WholePicture()(picture)[0], InputSpec(48, 48))
    assert (crop[:, :23] == 0).all()
    assert (crop[:, 25:] == 255).all()
