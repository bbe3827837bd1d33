import numpy as np

from emopy.faces import FullImage, align_face
from emopy.models.card import InputSpec


def test_the_image_is_the_face():
    (face,) = FullImage()(np.zeros((30, 50, 3), np.uint8))
    assert (face.box.left, face.box.top, face.box.right, face.box.bottom) == (0, 0, 50, 30)
    assert face.landmarks is None


def test_a_face_crop_passes_unchanged():
    crop = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    (face,) = FullImage()(crop)
    np.testing.assert_array_equal(align_face(crop, face, InputSpec(48, 48)), crop)


def test_an_oblong_image_keeps_its_proportions():
    image = np.zeros((96, 48, 3), np.uint8)
    image[:, 24:] = 255
    crop = align_face(image, FullImage()(image)[0], InputSpec(48, 48))
    assert (crop[:, :23] == 0).all()
    assert (crop[:, 25:] == 255).all()
