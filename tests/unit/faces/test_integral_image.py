import cv2
import numpy as np
import pytest

from emopy.faces.integral_image import IntegralImage


def noise(height, width):
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)


def squares(count, side_px, image, seed=0):
    """Whole-pixel squares of at least a size inside an image."""
    rng = np.random.default_rng(seed)
    height, width = image.shape[:2]
    sides = rng.integers(side_px, min(height, width) + 1, count)
    corners = np.stack([rng.integers(0, width - sides + 1), rng.integers(0, height - sides + 1)], 1)
    return np.concatenate([corners, corners + sides[:, None]], axis=1)


def downsized(image, edges, rows, columns):
    left, top, right, bottom = edges
    window = image[top:bottom, left:right]
    return cv2.resize(window, (columns, rows), interpolation=cv2.INTER_AREA)


def assert_equal_but_for_halves(found, expected):
    different = np.abs(found.astype(int) - expected)
    assert different.max() <= 1
    assert (different > 0).mean() < 0.01


@pytest.mark.parametrize("shape", [(24, 24), (48, 31)])
def test_squares_are_downsized_as_by_opencv(astronaut, shape):
    edges = squares(40, 100, astronaut)
    crops = IntegralImage(astronaut).resize(edges, rows=shape[0], columns=shape[1])
    assert crops.dtype == np.uint8
    expected = np.stack([downsized(astronaut, square, *shape) for square in edges])
    assert_equal_but_for_halves(crops, expected)


def test_a_whole_image_is_downsized_as_by_opencv():
    image = noise(307, 411)
    whole = (0, 0, 411, 307)
    (found,) = IntegralImage(image).resize(np.array([whole]), rows=37, columns=52)
    assert_equal_but_for_halves(found, downsized(image, whole, 37, 52))


def test_a_large_image_is_summed_in_strips_with_the_same_result(monkeypatch):
    image = noise(200, 150)
    edges = squares(20, 60, image)
    at_once = IntegralImage(image)
    expected = at_once.resize(edges, rows=12, columns=12)
    assert at_once.is_ready
    monkeypatch.setattr("emopy.faces.integral_image._STRIP_PX", 150 * 23)
    in_strips = IntegralImage(image)
    assert_equal_but_for_halves(in_strips.resize(edges, rows=12, columns=12), expected)
    assert not in_strips.is_ready


def test_pixels_beyond_the_border_are_black():
    image = np.full((40, 40, 3), 200, np.uint8)
    edges = np.array([[-40, 0, 40, 80], [60, 60, 140, 140], [-90, -90, -10, -10]])
    crops = IntegralImage(image).resize(edges, rows=8, columns=8)
    assert (crops[0, :4, 4:] == 200).all()
    assert not crops[0, 4:].any()
    assert not crops[0, :, :4].any()
    assert not crops[1:].any()


def test_a_view_with_strides_is_summed_like_its_copy(astronaut):
    view = astronaut[:, ::-1]
    whole = np.array([[0, 0, 512, 512]])
    found, expected = (
        IntegralImage(image).resize(whole, rows=50, columns=50) for image in (view, view.copy())
    )
    np.testing.assert_array_equal(found, expected)
