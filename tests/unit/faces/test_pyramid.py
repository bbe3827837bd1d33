import cv2
import numpy as np
import pytest

from emopy.faces.pyramid import Pyramid, pyramid_scales


def boxes(*rows):
    return np.array(rows, np.float32)


def test_scales_fall_from_min_face_size_to_the_image():
    scales = pyramid_scales(480, 640, window_px=12, min_face_size=24, factor=0.5)
    assert scales == [0.5, 0.25, 0.125, 0.0625, 0.03125]


def test_an_image_below_min_face_size_has_no_pyramid():
    assert pyramid_scales(20, 400, window_px=12, min_face_size=24, factor=0.7) == []


@pytest.mark.parametrize("first", [0.9, 0.4, 0.21, 0.1])
def test_levels_are_averages_of_the_image(astronaut, first):
    levels = list(Pyramid(astronaut).levels([first, first / 2, first / 4], least_px=12))
    sides = [-(-512 * first // step) for step in (1, 2, 4)]
    assert [level.shape for level in levels] == [(side, side, 3) for side in sides]
    for level in levels:
        expected = cv2.resize(astronaut, level.shape[1::-1], interpolation=cv2.INTER_AREA)
        assert np.abs(level.astype(int) - expected).mean() < 5


def test_a_level_has_the_least_size():
    image = np.zeros((100, 2000, 3), np.uint8)
    (level,) = Pyramid(image).levels([0.11], least_px=12)
    assert level.shape == (12, 220, 3)


def test_pixels_beyond_the_border_are_black():
    image = np.full((10, 10, 3), 200, np.uint8)
    (crop,) = Pyramid(image).crops(boxes([-10, 0, 10, 20]), 20)
    assert (crop[:10, 10:] == 200).all()
    assert (crop[:, :10] == 0).all()
    assert (crop[10:] == 0).all()


def test_a_square_outside_the_image_is_all_black():
    image = np.full((10, 10, 3), 200, np.uint8)
    crops = Pyramid(image).crops(boxes([20, 20, 30, 30], [-30, -30, -20, -20]), 8)
    assert not crops.any()


def test_a_crop_of_the_images_size_is_the_image():
    image = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    np.testing.assert_array_equal(Pyramid(image).crops(boxes([0, 0, 24, 24]), 24)[0], image)


def test_no_squares_give_no_crops(astronaut):
    assert Pyramid(astronaut).crops(np.zeros((0, 4), np.float32), 24).shape == (0, 24, 24, 3)


def test_large_crops_are_the_same_alone_and_together(astronaut):
    rng = np.random.default_rng(2)
    corner, side = rng.uniform(-50, 300, (30, 2)), rng.uniform(20, 400, (30, 1))
    squares = np.concatenate([corner, corner + side], axis=1).astype(np.float32)
    together = Pyramid(astronaut).crops(squares, 24)
    for square, crop in zip(squares, together, strict=True):
        (alone,) = Pyramid(astronaut).crops(square[None], 24)
        assert np.abs(alone.astype(int) - crop).max() <= 1
